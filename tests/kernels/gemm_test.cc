#include "kernels/ops/gemm.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// f32 chains of up to 1100 products: rounding grows with their square root.
constexpr double kTolerance = 4e-6;

struct Size {
  int64_t m, n, k;
};

class GemmTest : public testing::TestWithParam<Size> {};

TEST_P(GemmTest, MatchesDoublePrecisionOnEveryMachine) {
  const auto [m, n, k] = GetParam();
  const Tensor a = Random({m, k}, 1), weights = Random({n, k}, 2);
  const Tensor bias = Random({n}, 3);
  const PackedWeights packed = Pack(weights);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result({m, n}, DType::kF32);
    Gemm(stream, {.a = a.view(),
                  .weights = packed,
                  .bias = bias.view(),
                  .out = result.view()});
    return result;
  });

  ExpectNear(out,
             reference::MatMul(reference::Read(a.view()),
                               reference::Read(weights.view()),
                               reference::Read(bias.view()), m, n, k),
             kTolerance);
}

TEST_P(GemmTest, RowAloneHasTheBitsOfRowAmongOthers) {
  const auto [m, n, k] = GetParam();
  const Tensor a = Random({m, k}, 1);
  const PackedWeights packed = Pack(Random({n, k}, 2));

  OnEveryMachine([&](Stream& stream) {
    Tensor all({m, n}, DType::kF32), alone({1, n}, DType::kF32);
    Gemm(stream, {.a = a.view(), .weights = packed, .out = all.view()});
    for (int64_t row : {int64_t{0}, m / 2, m - 1}) {
      Gemm(stream, {.a = a.view().Slice(row, row + 1),
                    .weights = packed,
                    .out = alone.view()});
      ExpectSameBits(alone.view(), all.view().Slice(row, row + 1));
    }
    return all;
  });
}

INSTANTIATE_TEST_SUITE_P(OddShapes, GemmTest,
                         testing::Values(Size{1, 1, 1}, Size{2, 17, 5},
                                         Size{7, 16, 64}, Size{13, 33, 31},
                                         Size{32, 64, 96}, Size{77, 50, 100},
                                         Size{150, 100, 300},
                                         Size{50, 40, 1100}));

TEST(GemmTest, ReadsColumnsOfWiderRows) {
  const Tensor wide = Random({9, 30}, 1), weights = Random({20, 7}, 2);
  const PackedWeights packed = Pack(weights);
  Tensor narrow({9, 7}, DType::kF32);
  for (int64_t i = 0; i < 63; ++i) {
    narrow.f32()[i] = wide.f32()[i / 7 * 30 + 11 + i % 7];
  }

  OnEveryMachine([&](Stream& stream) {
    Tensor from_wide({9, 20}, DType::kF32), from_narrow({9, 20}, DType::kF32);
    Gemm(stream, {.a = wide.view(),
                  .a_column = 11,
                  .weights = packed,
                  .out = from_wide.view()});
    Gemm(stream,
         {.a = narrow.view(), .weights = packed, .out = from_narrow.view()});
    ExpectSameBits(from_wide.view(), from_narrow.view());
    return from_wide;
  });
}

TEST(GemmTest, AppliesActivationThenResidual) {
  const Tensor a = Random({19, 24}, 1), weights = Random({35, 24}, 2);
  const Tensor residual = Random({19, 35}, 3);
  const PackedWeights packed = Pack(weights);
  for (const Activation activation :
       {Activation::kNone, Activation::kSilu, Activation::kQuickGelu,
        Activation::kGelu}) {
    reference::Values expected =
        reference::MatMul(reference::Read(a.view()),
                          reference::Read(weights.view()), {}, 19, 35, 24);
    for (size_t i = 0; i < expected.size(); ++i) {
      expected[i] =
          reference::Activate(activation, expected[i]) + residual.f32()[i];
    }

    // The residual is the output itself, as in a residual stream.
    const Tensor out = OnEveryMachine([&](Stream& stream) {
      Tensor result = residual.Clone();
      Gemm(stream, {.a = a.view(),
                    .weights = packed,
                    .activation = activation,
                    .residual = result.view(),
                    .out = result.view()});
      return result;
    });

    ExpectNear(out, expected, kTolerance);
  }
}

TEST(GemmTest, RefusesShapesThatDoNotFit) {
  const Tensor a = Random({4, 8}, 1);
  const PackedWeights packed = Pack(Random({3, 9}, 2));
  Tensor out({4, 3}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        Gemm(stream, {.a = a.view(), .weights = packed, .out = out.view()});
      },
      "gemm");
}

TEST(GemmTest, OnlyValidatesWhilePlanning) {
  const Tensor a = Random({4, 8}, 1);
  const PackedWeights packed = Pack(Random({3, 8}, 2));

  OnEveryMachine([&](Stream& stream) {
    Tensor out({4, 3}, DType::kF32);
    stream.set_planning(true);
    Gemm(stream, {.a = a.view(), .weights = packed, .out = out.view()});
    stream.set_planning(false);
    EXPECT_EQ(out.f32()[0], 0.0f);
    return out;
  });
}

}  // namespace
}  // namespace tessera::kernels

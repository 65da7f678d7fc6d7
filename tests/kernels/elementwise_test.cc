#include "kernels/ops/elementwise.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "gtest/gtest.h"
#include "kernels/ops/concat.h"
#include "kernels/ops/geglu.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// One ulp of exp, one division, one product.
constexpr double kTolerance = 5e-7;
// What kernels/ops/activation.h promises of the GELU.
constexpr double kGeluAbsoluteError = 2e-7;

// Returns 4001 numbers from -20 to 20.
Tensor Ramp() {
  Tensor tensor({4001}, DType::kF32);
  for (int i = 0; i < 4001; ++i) {
    tensor.f32()[i] = static_cast<float>(i - 2000) * 0.01f;
  }
  return tensor;
}

// Returns activation(input), computed on every machine.
Tensor Activated(Activation activation, const Tensor& input) {
  return OnEveryMachine([&](Stream& stream) {
    Tensor result(input.shape(), DType::kF32);
    Activate(stream, {.input = input.view(),
                      .activation = activation,
                      .out = result.view()});
    return result;
  });
}

TEST(AddTest, AddsInPlace) {
  const Tensor a = Random({3, 7, 5}, 1), b = Random({3, 7, 5}, 2);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = a.Clone();
    Add(stream, {.a = result.view(), .b = b.view(), .out = result.view()});
    return result;
  });

  for (int64_t i = 0; i < 105; ++i) {
    EXPECT_EQ(out.f32()[i], a.f32()[i] + b.f32()[i]);
  }
}

TEST(AddTest, RefusesUnlikeShapes) {
  const Tensor a = Random({6}, 1), b = Random({5}, 2);
  Tensor out({6}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        Add(stream, {.a = a.view(), .b = b.view(), .out = out.view()});
      },
      "add");
}

TEST(ActivateTest, MatchesDoublePrecisionFromMinusTwentyToTwenty) {
  const Tensor input = Ramp();
  for (const Activation activation :
       {Activation::kNone, Activation::kSilu, Activation::kQuickGelu}) {
    const Tensor out = Activated(activation, input);

    for (int64_t i = 0; i < 4001; ++i) {
      const double expected = reference::Activate(activation, input.f32()[i]);
      ASSERT_NEAR(out.f32()[i], expected,
                  kTolerance * std::max(0.01, std::abs(expected)))
          << input.f32()[i];
    }
  }
}

// Beyond exp's range a sigmoid is 0 or 1: what overflows may not show.
TEST(ActivateTest, FarEndsAreFlat) {
  Tensor input({6}, DType::kF32);
  const float far[] = {-104.5f, -110.0f, -1e4f, 104.5f, 1e4f, -3e38f};
  std::copy(std::begin(far), std::end(far), input.f32());
  for (const Activation activation :
       {Activation::kSilu, Activation::kQuickGelu, Activation::kGelu}) {
    const Tensor out = Activated(activation, input);

    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(out.f32()[i], std::max(far[i], 0.0f)) << far[i];
    }
  }
}

TEST(ActivateTest, GeluIsExactToTwoParts) {
  const Tensor input = Ramp();

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(input.shape(), DType::kF32);
    Activate(stream, {.input = input.view(),
                      .activation = Activation::kGelu,
                      .out = result.view()});
    return result;
  });

  for (int64_t i = 0; i < 4001; ++i) {
    const double expected =
        reference::Activate(Activation::kGelu, input.f32()[i]);
    // Beyond 2 the rounding of the result itself is larger.
    ASSERT_NEAR(out.f32()[i], expected,
                std::max(kGeluAbsoluteError, 1.2e-7 * std::abs(expected)))
        << input.f32()[i];
  }
}

TEST(ActivateTest, TailHasTheBitsOfTheBody) {
  const Tensor input = Ramp();

  OnEveryMachine([&](Stream& stream) {
    Tensor all(input.shape(), DType::kF32), some({37}, DType::kF32);
    Activate(stream, {.input = input.view(),
                      .activation = Activation::kSilu,
                      .out = all.view()});
    Activate(stream, {.input = input.view().Slice(1901, 1938),
                      .activation = Activation::kSilu,
                      .out = some.view()});
    ExpectSameBits(some.view(), all.view().Slice(1901, 1938));
    return all;
  });
}

TEST(GegluTest, MultipliesValuesByGeluOfGates) {
  for (const int64_t width : {1, 7, 16, 40, 129}) {
    const Tensor input = Random({5, 2 * width}, 1);
    reference::Values expected;
    for (int64_t i = 0; i < 5 * width; ++i) {
      const float* const row = input.f32() + i / width * 2 * width;
      expected.push_back(
          row[i % width] *
          reference::Activate(Activation::kGelu, row[width + i % width]));
    }

    const Tensor out = OnEveryMachine([&](Stream& stream) {
      Tensor result({5, width}, DType::kF32);
      Geglu(stream, {.input = input.view(), .out = result.view()});
      return result;
    });

    ExpectNear(out, expected, 1e-6);
  }
}

TEST(ConcatChannelsTest, PutsTheSecondBehindTheFirst) {
  const Tensor a = Random({2, 3, 3, 5}, 1), b = Random({2, 3, 3, 17}, 2);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result({2, 3, 3, 22}, DType::kF32);
    ConcatChannels(stream,
                   {.a = a.view(), .b = b.view(), .out = result.view()});
    return result;
  });

  for (int64_t i = 0; i < 18 * 22; ++i) {
    const int64_t row = i / 22, c = i % 22;
    EXPECT_EQ(out.f32()[i],
              c < 5 ? a.f32()[row * 5 + c] : b.f32()[row * 17 + c - 5]);
  }
}

TEST(ConcatChannelsTest, RefusesUnlikePictures) {
  const Tensor a = Random({2, 3, 3, 5}, 1), b = Random({2, 3, 2, 5}, 2);
  Tensor out({2, 3, 3, 10}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        ConcatChannels(stream,
                       {.a = a.view(), .b = b.view(), .out = out.view()});
      },
      "concat");
}

}  // namespace
}  // namespace tessera::kernels

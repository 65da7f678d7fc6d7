#include "gtest/gtest.h"
#include "kernels/ops/group_norm.h"
#include "kernels/ops/layer_norm.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// A few roundings of f32 after statistics of at least f32 accuracy.
constexpr double kTolerance = 1e-6;
// Inputs far from zero lose digits before any op sees them: 1 ulp of 1000 is
// 6e-5 of a unit deviation.
constexpr double kOffsetTolerance = 1e-4;

struct Case {
  int64_t n, h, w, channels, groups;
};

class GroupNormTest : public testing::TestWithParam<Case> {};

TEST_P(GroupNormTest, MatchesDoublePrecisionOnEveryMachine) {
  const Case& c = GetParam();
  const Tensor input = Random({c.n, c.h, c.w, c.channels}, 1);
  const Tensor weight = Random({c.channels}, 2), bias = Random({c.channels}, 3);
  for (const bool silu : {false, true}) {
    const Tensor out = OnEveryMachine([&](Stream& stream) {
      Tensor result = input.Clone();
      GroupNorm(stream, {.input = result.view(),
                         .groups = c.groups,
                         .eps = 1e-5f,
                         .weight = weight.view(),
                         .bias = bias.view(),
                         .silu = silu,
                         .out = result.view()});
      return result;
    });

    reference::Values expected = reference::GroupNorm(
        input.view(), c.groups, 1e-5, weight.view(), bias.view());
    if (silu) {
      for (double& value : expected) {
        value = reference::Activate(Activation::kSilu, value);
      }
    }
    ExpectNear(out, expected, kTolerance);
  }
}

TEST_P(GroupNormTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  const Case& c = GetParam();
  const Tensor input = Random({c.n, c.h, c.w, c.channels}, 1);
  const Tensor weight = Random({c.channels}, 2), bias = Random({c.channels}, 3);

  OnEveryMachine([&](Stream& stream) {
    Tensor all = input.Clone(), alone = input.Clone();
    GroupNormArgs args = {.input = all.view(),
                          .groups = c.groups,
                          .eps = 1e-5f,
                          .weight = weight.view(),
                          .bias = bias.view(),
                          .silu = true,
                          .out = all.view()};
    GroupNorm(stream, args);
    for (int64_t n = 0; n < c.n; ++n) {
      args.input = args.out = alone.view().Slice(n, n + 1);
      GroupNorm(stream, args);
    }
    ExpectSameBits(alone.view(), all.view());
    return all;
  });
}

INSTANTIATE_TEST_SUITE_P(
    OddShapes, GroupNormTest,
    testing::Values(Case{1, 1, 1, 8, 2}, Case{2, 3, 5, 12, 4},
                    Case{2, 16, 16, 64, 32}, Case{3, 9, 7, 30, 3},
                    Case{2, 8, 8, 96, 32}, Case{1, 20, 20, 66, 6}));

TEST(GroupNormTest, KeepsItsDigitsFarFromZero) {
  Tensor input = Random({1, 16, 16, 32}, 1);
  for (int64_t i = 0; i < input.shape().elements(); ++i) {
    input.f32()[i] += 1000;
  }
  const Tensor weight = Random({32}, 2), bias = Random({32}, 3);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(input.shape(), DType::kF32);
    GroupNorm(stream, {.input = input.view(),
                       .groups = 8,
                       .eps = 1e-6f,
                       .weight = weight.view(),
                       .bias = bias.view(),
                       .out = result.view()});
    return result;
  });

  ExpectNear(
      out,
      reference::GroupNorm(input.view(), 8, 1e-6, weight.view(), bias.view()),
      kOffsetTolerance);
}

TEST(GroupNormTest, RefusesGroupsThatDoNotDivideTheChannels) {
  const Tensor x = Random({1, 2, 2, 10}, 1), weight = Random({10}, 2);
  Tensor out({1, 2, 2, 10}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        GroupNorm(stream, {.input = x.view(),
                           .groups = 3,
                           .eps = 1e-5f,
                           .weight = weight.view(),
                           .bias = weight.view(),
                           .out = out.view()});
      },
      "group_norm");
}

class LayerNormTest : public testing::TestWithParam<int64_t> {};

TEST_P(LayerNormTest, MatchesDoublePrecisionOnEveryMachine) {
  const int64_t channels = GetParam();
  const Tensor input = Random({2, 7, channels}, 1);
  const Tensor weight = Random({channels}, 2), bias = Random({channels}, 3);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(input.shape(), DType::kF32);
    LayerNorm(stream, {.input = input.view(),
                       .eps = 1e-5f,
                       .weight = weight.view(),
                       .bias = bias.view(),
                       .out = result.view()});
    return result;
  });

  ExpectNear(
      out, reference::LayerNorm(input.view(), 1e-5, weight.view(), bias.view()),
      kTolerance);
}

INSTANTIATE_TEST_SUITE_P(OddWidths, LayerNormTest,
                         testing::Values(2, 15, 16, 17, 33, 64, 100, 768));

TEST(LayerNormTest, RefusesAWeightOfAnotherWidth) {
  const Tensor x = Random({2, 10}, 1), weight = Random({9}, 2);
  Tensor out({2, 10}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        LayerNorm(stream, {.input = x.view(),
                           .eps = 1e-5f,
                           .weight = weight.view(),
                           .bias = weight.view(),
                           .out = out.view()});
      },
      "layer_norm");
}

}  // namespace
}  // namespace tessera::kernels

#include "kernels/ops/conv2d.h"

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// f32 chains of up to 9 * 70 products.
constexpr double kTolerance = 4e-6;

struct Case {
  int64_t n, h, w, cin, cout, kernel, stride;
  Padding padding;

  Shape OutShape() const {
    return {n, (h + padding.top + padding.bottom - kernel) / stride + 1,
            (w + padding.left + padding.right - kernel) / stride + 1, cout};
  }
};

class Conv2dTest : public testing::TestWithParam<Case> {};

TEST_P(Conv2dTest, MatchesDoublePrecisionOnEveryMachine) {
  const Case& c = GetParam();
  const Tensor input = Random({c.n, c.h, c.w, c.cin}, 1);
  const Tensor weights = Random({c.cout, c.cin, c.kernel, c.kernel}, 2);
  const Tensor bias = Random({c.cout}, 3);
  const PackedWeights packed = Pack(weights);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(c.OutShape(), DType::kF32);
    Conv2d(stream, {.input = input.view(),
                    .weights = packed,
                    .bias = bias.view(),
                    .stride = c.stride,
                    .padding = c.padding,
                    .out = result.view()});
    return result;
  });

  ExpectNear(out,
             reference::Conv2d(input.view(), weights.view(),
                               reference::Read(bias.view()), c.stride,
                               c.padding, c.OutShape()),
             kTolerance);
}

TEST_P(Conv2dTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  const Case& c = GetParam();
  const Tensor input = Random({c.n, c.h, c.w, c.cin}, 1);
  const PackedWeights packed =
      Pack(Random({c.cout, c.cin, c.kernel, c.kernel}, 2));

  OnEveryMachine([&](Stream& stream) {
    Tensor all(c.OutShape(), DType::kF32), alone(c.OutShape(), DType::kF32);
    const Conv2dArgs args = {.input = input.view(),
                             .weights = packed,
                             .stride = c.stride,
                             .padding = c.padding,
                             .out = all.view()};
    Conv2d(stream, args);
    for (int64_t n = 0; n < c.n; ++n) {
      Conv2d(stream, {.input = input.view().Slice(n, n + 1),
                      .weights = packed,
                      .stride = c.stride,
                      .padding = c.padding,
                      .out = alone.view().Slice(n, n + 1)});
    }
    ExpectSameBits(alone.view(), all.view());
    return all;
  });
}

INSTANTIATE_TEST_SUITE_P(
    OddShapes, Conv2dTest,
    testing::Values(Case{1, 1, 1, 1, 1, 1, 1, {}},
                    Case{2, 5, 7, 3, 5, 3, 1, Padding::All(1)},
                    Case{1, 8, 8, 16, 33, 3, 2, Padding::All(1)},
                    Case{2, 9, 6, 4, 17, 3, 2, {0, 0, 1, 1}},
                    Case{3, 4, 4, 70, 48, 3, 1, Padding::All(1)},
                    Case{2, 16, 16, 20, 36, 3, 1, Padding::All(1)},
                    Case{2, 6, 5, 12, 20, 1, 1, {}},
                    Case{1, 3, 2, 4, 4, 3, 1, Padding::All(1)}));

TEST(Conv2dTest, AddsTheChannelVectorAndTheResidual) {
  const Tensor input = Random({2, 5, 5, 6}, 1);
  const Tensor weights = Random({21, 6, 3, 3}, 2);
  const Tensor channel_add = Random({2, 21}, 3);
  const Tensor residual = Random({2, 5, 5, 21}, 4);
  const PackedWeights packed = Pack(weights);
  reference::Values expected = reference::Conv2d(
      input.view(), weights.view(), {}, 1, Padding::All(1), residual.shape());
  for (int64_t i = 0; i < 2 * 25 * 21; ++i) {
    expected[i] +=
        channel_add.f32()[i / (25 * 21) * 21 + i % 21] + residual.f32()[i];
  }

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = residual.Clone();
    Conv2d(stream, {.input = input.view(),
                    .weights = packed,
                    .channel_add = channel_add.view(),
                    .residual = result.view(),
                    .padding = Padding::All(1),
                    .out = result.view()});
    return result;
  });

  ExpectNear(out, expected, kTolerance);
}

TEST(Conv2dTest, RefusesAnotherOutputSize) {
  const Tensor input = Random({1, 4, 4, 2}, 1);
  const PackedWeights packed = Pack(Random({3, 2, 3, 3}, 2));
  Tensor out({1, 4, 4, 3}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        Conv2d(stream,
               {.input = input.view(), .weights = packed, .out = out.view()});
      },
      "conv2d");
}

}  // namespace
}  // namespace tessera::kernels

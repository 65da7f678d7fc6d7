#include "kernels/ops/resample.h"

#include <utility>

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

TEST(ResizeNearestTest, TakesTheNearestPixelAtAnySize) {
  const Tensor input = Random({2, 3, 5, 7}, 1);
  for (const auto& [h, w] :
       {std::pair<int64_t, int64_t>{6, 10}, {3, 5}, {7, 11}, {1, 2}}) {
    const Tensor out = OnEveryMachine([&, h = h, w = w](Stream& stream) {
      Tensor result({2, h, w, 7}, DType::kF32);
      ResizeNearest(stream, {.input = input.view(), .out = result.view()});
      return result;
    });

    for (int64_t i = 0; i < out.shape().elements(); ++i) {
      const int64_t c = i % 7, x = i / 7 % w, y = i / 7 / w % h;
      const int64_t n = i / 7 / w / h;
      EXPECT_EQ(out.f32()[i],
                input.f32()[((n * 3 + y * 3 / h) * 5 + x * 5 / w) * 7 + c]);
    }
  }
}

TEST(ResizeNearestTest, RefusesOtherChannels) {
  const Tensor input = Random({1, 2, 2, 3}, 1);
  Tensor out({1, 4, 4, 4}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        ResizeNearest(stream, {.input = input.view(), .out = out.view()});
      },
      "resize_nearest");
}

}  // namespace
}  // namespace tessera::kernels

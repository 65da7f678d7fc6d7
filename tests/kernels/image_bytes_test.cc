#include "kernels/ops/image_bytes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

TEST(ImageBytesTest, RoundsAndClampsAsTorchDoes) {
  Tensor input({1003}, DType::kF32);
  for (int i = 0; i < 1003; ++i) {
    input.f32()[i] = static_cast<float>(i - 500) * 0.003f;
  }

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(input.shape(), DType::kU8);
    ImageBytes(stream, {.input = input.view(), .out = result.view()});
    return result;
  });

  for (int i = 0; i < 1003; ++i) {
    const float unit =
        std::min(std::max(input.f32()[i] / 2 + 0.5f, 0.0f), 1.0f);
    EXPECT_EQ(out.view().u8()[i],
              static_cast<uint8_t>(std::nearbyint(unit * 255)))
        << input.f32()[i];
  }
}

TEST(ImageBytesTest, EndsAndNonNumbersAreBytes) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float values[] = {-1, 1, 0, kInfinity, -kInfinity, std::nanf("")};
  const uint8_t expected[] = {0, 255, 128, 255, 0, 0};
  Tensor input({6}, DType::kF32);
  std::copy_n(values, 6, input.f32());

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(input.shape(), DType::kU8);
    ImageBytes(stream, {.input = input.view(), .out = result.view()});
    return result;
  });

  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(out.view().u8()[i], expected[i]) << values[i];
  }
}

TEST(ImageBytesTest, RefusesAnotherType) {
  Tensor input({4}, DType::kF32), out({4}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        ImageBytes(stream, {.input = input.view(), .out = out.view()});
      },
      "image_bytes");
}

}  // namespace
}  // namespace tessera::kernels

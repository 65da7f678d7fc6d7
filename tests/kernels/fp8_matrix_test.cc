#include "kernels/fp8_matrix.h"

#include <cmath>
#include <memory>

#include "gtest/gtest.h"
#include "kernels/e4m3.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

class Fp8MatrixTest : public testing::Test {
 protected:
  std::unique_ptr<Device> device_ = CreateCpuDevice(1).value();
};

// 3 bits of mantissa: half of 2^-3 of each weight, and for the smallest half
// of a subnormal's step.
TEST_F(Fp8MatrixTest, EveryRowIsScaledToTheWholeRange) {
  const Tensor weights = Random({6, 40}, 1);
  for (int64_t i = 0; i < 40; ++i) weights.view().f32()[40 + i] *= 1e-4f;

  const auto matrix = MakeFp8Matrix(*device_, weights.view(), 448.0f * 2);

  ASSERT_TRUE(matrix.ok()) << matrix.status();
  EXPECT_EQ((*matrix)->input_scale, 2.0f);
  for (int64_t row = 0; row < 6; ++row) {
    const float scale = (*matrix)->scales.f32()[row] / 2;
    float largest = 0;
    for (int64_t i = 0; i < 40; ++i) {
      const float want = weights.f32()[row * 40 + i];
      const float got =
          scale * E4M3ToFloat((*matrix)->values.view().u8()[row * 40 + i]);
      EXPECT_LE(std::abs(got - want),
                std::abs(want) / 16 + scale * 0x1p-10f + 1e-9f);
      largest = std::max(largest, std::abs(got) / scale);
    }
    EXPECT_NEAR(largest, kLargestE4M3, 1e-3) << row;
  }
}

TEST_F(Fp8MatrixTest, RowsOfZerosStayZero) {
  const auto matrix =
      MakeFp8Matrix(*device_, Tensor({2, 16}, DType::kF32).view(), 1);

  ASSERT_TRUE(matrix.ok()) << matrix.status();
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ((*matrix)->values.view().u8()[i], 0);
  }
  EXPECT_TRUE(std::isfinite((*matrix)->scales.f32()[0]));
}

TEST_F(Fp8MatrixTest, RangesThatAreNoNumberAreRefused) {
  const Tensor weights = Random({2, 16}, 1);
  for (const float bad : {0.0f, -1.0f, NAN, INFINITY}) {
    EXPECT_EQ(MakeFp8Matrix(*device_, weights.view(), bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

}  // namespace
}  // namespace tessera::kernels

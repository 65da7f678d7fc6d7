#include "kernels/packed_weights.h"

#include <memory>

#include "gtest/gtest.h"

namespace tessera::kernels {
namespace {

class PackedWeightsTest : public testing::Test {
 protected:
  const std::unique_ptr<Device> device_ = *CreateCpuDevice(1);
};

TEST_F(PackedWeightsTest, LinearIsPanelsOfSixteenOutputs) {
  const Tensor weights({18, 3}, DType::kF32);
  for (int i = 0; i < 54; ++i) weights.f32()[i] = static_cast<float>(i + 1);

  const absl::StatusOr<PackedWeights> packed =
      PackGemmWeights(*device_, weights.view());

  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(packed->n(), 18);
  EXPECT_EQ(packed->k(), 3);
  EXPECT_EQ(packed->panel_count(), 2);
  for (int64_t column = 0; column < 32; ++column) {
    for (int64_t k = 0; k < 3; ++k) {
      EXPECT_EQ(packed->panels()[(column / 16 * 3 + k) * 16 + column % 16],
                column < 18 ? static_cast<float>(column * 3 + k + 1) : 0.0f);
    }
  }
}

TEST_F(PackedWeightsTest, ConvolutionPutsChannelsInnermost) {
  const Tensor weights({1, 2, 3, 2}, DType::kF32);  // [cout, cin, kh, kw]
  for (int i = 0; i < 12; ++i) weights.f32()[i] = static_cast<float>(i);

  const absl::StatusOr<PackedWeights> packed =
      PackConvWeights(*device_, weights.view());

  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(packed->kernel_h(), 3);
  EXPECT_EQ(packed->kernel_w(), 2);
  EXPECT_EQ(packed->input_channels(), 2);
  for (int64_t k = 0; k < 12; ++k) {
    const int64_t tap = k / 2, c = k % 2;
    EXPECT_EQ(packed->panels()[k * 16], static_cast<float>(c * 6 + tap));
  }
}

TEST_F(PackedWeightsTest, WidensHalves) {
  uint16_t halves[] = {0x3C00, 0xC100};

  const absl::StatusOr<PackedWeights> packed =
      PackGemmWeights(*device_, {halves, DType::kF16, {1, 2}});

  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(packed->panels()[0], 1.0f);
  EXPECT_EQ(packed->panels()[16], -2.5f);
}

TEST_F(PackedWeightsTest, RefusesAnotherRankAndEmptyMatrices) {
  const Tensor vector({4}, DType::kF32), empty({0, 4}, DType::kF32);

  for (const Tensor* bad : {&vector, &empty}) {
    EXPECT_EQ(PackGemmWeights(*device_, bad->view()).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(PackConvWeights(*device_, bad->view()).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace tessera::kernels

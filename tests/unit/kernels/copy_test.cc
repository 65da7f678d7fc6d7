#include "kernels/ops/copy.h"

#include <cmath>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "kernels/transfer.h"

namespace tessera::kernels {
namespace {

class CopyTest : public testing::Test {
 protected:
  absl::Status Copied(const TensorView& source, const TensorView& out) {
    Copy(stream_, {.source = source, .out = out});
    return stream_.Synchronize();
  }

  const std::unique_ptr<Device> device_ = *CreateCpuDevice(1);
  Stream stream_{*device_};
};

TEST_F(CopyTest, CopiesBytesOfAnyShape) {
  const Tensor source({2, 3}, DType::kI32), out({6}, DType::kI32);
  for (int i = 0; i < 6; ++i) source.view().i32()[i] = i * 100000007;

  ASSERT_TRUE(Copied(source.view(), out.view()).ok());

  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(out.view().i32()[i], i * 100000007);
  }
}

TEST_F(CopyTest, RoundsToSixteenBitsAndBack) {
  const Tensor source({3}, DType::kF32), halves({3}, DType::kF16);
  const Tensor out({3}, DType::kF32);
  source.f32()[0] = 1.0f + 0x1p-12f;
  source.f32()[1] = -0.5f;
  source.f32()[2] = 1e9f;

  ASSERT_TRUE(Copied(source.view(), halves.view()).ok());
  ASSERT_TRUE(Copied(halves.view(), out.view()).ok());

  EXPECT_EQ(out.f32()[0], 1.0f);
  EXPECT_EQ(out.f32()[1], -0.5f);
  EXPECT_TRUE(std::isinf(out.f32()[2]));
}

TEST_F(CopyTest, RefusesOtherSizesTypesAndPlaces) {
  const Tensor two({2}, DType::kF32), three({3}, DType::kF32);
  const Tensor ints({2}, DType::kI32);
  TensorView elsewhere = two.view();
  elsewhere.place = Place::kDevice;

  for (const auto& [source, out] : {std::pair{two.view(), three.view()},
                                    {two.view(), ints.view()},
                                    {elsewhere, two.view()},
                                    {two.view(), elsewhere}}) {
    EXPECT_EQ(Copied(source, out).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(CopyTest, TensorThatIsThereMovesWithoutACopy) {
  Tensor tensor({5}, DType::kF32);
  const float* const data = tensor.f32();

  const Tensor there =
      ToDevice(*device_, std::move(tensor), DType::kF32).value();

  EXPECT_EQ(there.f32(), data);
}

}  // namespace
}  // namespace tessera::kernels

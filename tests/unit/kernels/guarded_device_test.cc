#include "tests/support/guarded_device.h"

#include <memory>

#include "gtest/gtest.h"
#include "kernels/arena.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/elementwise.h"
#include "kernels/ops/gemm.h"
#include "kernels/packed_weights.h"
#include "kernels/transfer.h"

namespace tessera {
namespace {

using kernels::Arena;
using kernels::Device;
using kernels::DType;
using kernels::Shape;
using kernels::Stream;
using kernels::Tensor;

class GuardedDeviceTest : public testing::Test {
 protected:
  // Returns [3] with `value` in each element, on the device.
  Tensor Filled(float value, DType dtype) {
    Tensor host({3}, DType::kF32);
    for (int i = 0; i < 3; ++i) host.f32()[i] = value;
    return kernels::ToDevice(*device_, std::move(host), dtype).value();
  }

  const std::unique_ptr<Device> device_ =
      MakeGuardedDevice({.bytes = int64_t{1} << 20});
  Stream stream_{*device_};
};

TEST_F(GuardedDeviceTest, HostCannotLookIntoItsMemory) {
  const Tensor tensor = Filled(1, DType::kF32);

  EXPECT_DEATH(EXPECT_EQ(tensor.f32()[0], 1.0f), "");
}

TEST_F(GuardedDeviceTest, OpsComputeInItsMemory) {
  const Tensor a = Filled(1, DType::kF32), b = Filled(2, DType::kF32);

  kernels::Add(stream_, {.a = a.view(), .b = b.view(), .out = b.view()});

  EXPECT_EQ(kernels::ToHost(*device_, b.view())->f32()[2], 3.0f);
}

TEST_F(GuardedDeviceTest, OpsRefuseTensorsOfTheHost) {
  const Tensor a = Filled(1, DType::kF32), host({3}, DType::kF32);

  kernels::Add(stream_, {.a = a.view(), .b = host.view(), .out = a.view()});

  EXPECT_EQ(stream_.Synchronize().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GuardedDeviceTest, SixteenBitsAreItsOwnTypeOfActivations) {
  const auto half = MakeGuardedDevice(
      {.compute_dtype = DType::kF16, .bytes = int64_t{1} << 20});
  Stream stream(*half);
  const Tensor f16 = Tensor::Create(*half, {3}, DType::kF16).value();
  const Tensor f32 = Tensor::Create(*half, {3}, DType::kF32).value();

  kernels::Add(stream, {.a = f16.view(), .b = f16.view(), .out = f16.view()});
  EXPECT_TRUE(stream.Synchronize().ok());
  kernels::Add(stream, {.a = f32.view(), .b = f32.view(), .out = f32.view()});
  EXPECT_EQ(stream.Synchronize().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GuardedDeviceTest, AnotherTypeSharesMemoryAndQueue) {
  const auto half = MakeGuardedDevice(
      {.compute_dtype = DType::kF16, .bytes = int64_t{1} << 20});
  const auto wide = half->ComputingIn(DType::kF32);
  EXPECT_EQ(&wide->memory(), &half->memory());
  EXPECT_EQ(wide->backend(), half->backend());
  EXPECT_EQ(wide->compute_dtype(), DType::kF32);
  EXPECT_EQ(half->compute_dtype(), DType::kF16);
  const Tensor f16 = Tensor::Create(*half, {3}, DType::kF16).value();
  const Tensor f32 = Tensor::Create(*wide, {3}, DType::kF32).value();

  Stream stream(*wide);
  kernels::Add(stream, {.a = f32.view(), .b = f32.view(), .out = f32.view()});
  EXPECT_TRUE(stream.Synchronize().ok());
  kernels::Add(stream, {.a = f16.view(), .b = f16.view(), .out = f16.view()});
  EXPECT_EQ(stream.Synchronize().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GuardedDeviceTest, WeightsAreRowsThatUnpackToWhatTheyWere) {
  // [outputs, inputs, kernel, kernel] = [2, 3, 2, 1].
  Tensor weights({2, 3, 2, 1}, DType::kF32);
  for (int i = 0; i < 12; ++i) weights.f32()[i] = static_cast<float>(i);

  const auto packed = kernels::PackConvWeights(*device_, weights.view());
  const Tensor rows = kernels::ToHost(*device_, packed.value().data()).value();
  const Tensor unpacked = kernels::UnpackWeights(*packed).value();

  // Output 1's channels at tap 0, then at tap 1.
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(rows.f32()[6 + c], static_cast<float>(6 + 2 * c));
    EXPECT_EQ(rows.f32()[9 + c], static_cast<float>(7 + 2 * c));
  }
  EXPECT_EQ(unpacked.shape(), weights.shape());
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(unpacked.f32()[i], static_cast<float>(i));
  }
}

TEST_F(GuardedDeviceTest, WeightsOfAnotherDeviceAreRefused) {
  const auto cpu = *kernels::CreateCpuDevice(1);
  const auto packed =
      kernels::PackGemmWeights(*cpu, Tensor({3, 3}, DType::kF32).view());
  const Tensor row = Tensor::Create(*device_, {1, 3}, DType::kF32).value();
  const Tensor out = Tensor::Create(*device_, {1, 3}, DType::kF32).value();

  kernels::Gemm(stream_,
                {.a = row.view(), .weights = *packed, .out = out.view()});

  EXPECT_EQ(stream_.Synchronize().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GuardedDeviceTest, MemoryEndsAndComesBack) {
  const int64_t most = (int64_t{1} << 20) - 4096;
  for (int i = 0; i < 2; ++i) {
    const auto all = Tensor::Create(*device_, {most}, DType::kU8);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(Tensor::Create(*device_, {1}, DType::kU8).status().code(),
              absl::StatusCode::kResourceExhausted);
  }
}

TEST_F(GuardedDeviceTest, ArenaWithoutMemoryIsAnErrorOfTheRun) {
  Arena arena;
  int64_t size = int64_t{1} << 21;
  int runs = 0;
  const auto forward = [&] {
    arena.Allocate({size}, DType::kU8);
    if (!stream_.planning()) ++runs;
  };

  EXPECT_EQ(arena.Run(stream_, forward).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(runs, 0);

  // Plans afresh, smaller.
  size = 4096;
  EXPECT_TRUE(arena.Run(stream_, forward).ok());
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace tessera

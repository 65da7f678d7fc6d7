// The runtime on a device: copies, recorded passes, and what errors mean.
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/arena.h"
#include "kernels/device.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/elementwise.h"
#include "kernels/transfer.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

class BackendTest : public testing::Test {
 protected:
  void SetUp() override {
    auto device = OpenDevice("cuda:0", 0);
    if (!device.ok()) GTEST_SKIP() << device.status();
    device_ = *std::move(device);
    stream_ = std::make_unique<Stream>(*device_);
  }

  Tensor OnDevice(const Shape& shape, DType dtype) {
    return Tensor::Create(*device_, shape, dtype).value();
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

// Larger than both pinned buffers together, and not a whole number of parts.
TEST_F(BackendTest, LargeTensorsComeBackAsTheyWent) {
  const Tensor host = Random({3000001}, 1);
  const Tensor device = OnDevice(host.shape(), DType::kF32);
  const Tensor moved = OnDevice(host.shape(), DType::kF32);
  const Tensor back(host.shape(), DType::kF32);

  Copy(*stream_, {.source = host.view(), .out = device.view()});
  Copy(*stream_, {.source = device.view(), .out = moved.view()});
  Copy(*stream_, {.source = moved.view(), .out = back.view()});
  ASSERT_TRUE(stream_->Synchronize().ok());

  ExpectSameBits(back.view(), host.view());
}

// The host and the device round alike, each on its way.
TEST_F(BackendTest, HostAndDeviceRoundToTheSameHalves) {
  const Tensor host = Random({100003}, 2);
  const Tensor wide = OnDevice(host.shape(), DType::kF32);
  const Tensor by_device = OnDevice(host.shape(), DType::kF16);
  const Tensor by_host = OnDevice(host.shape(), DType::kF16);

  Copy(*stream_, {.source = host.view(), .out = by_host.view()});
  Copy(*stream_, {.source = host.view(), .out = wide.view()});
  Copy(*stream_, {.source = wide.view(), .out = by_device.view()});

  const Tensor a = ToHost(*device_, by_host.view()).value();
  const Tensor b = ToHost(*device_, by_device.view()).value();
  ExpectSameBits(a.view(), b.view());
}

TEST_F(BackendTest, SourceOnTheHostMayChangeOnceCopyHasReturned) {
  const Tensor host({1 << 20}, DType::kF32);
  std::vector<Tensor> copies;
  for (int i = 0; i < 20; ++i) {
    for (int64_t j = 0; j < 1 << 20; ++j) host.f32()[j] = static_cast<float>(i);
    copies.push_back(OnDevice(host.shape(), DType::kF32));
    Copy(*stream_, {.source = host.view(), .out = copies.back().view()});
  }

  for (int i = 0; i < 20; ++i) {
    const Tensor back =
        ToHost(*device_, copies[static_cast<size_t>(i)].view()).value();
    EXPECT_EQ(back.f32()[0], static_cast<float>(i));
    EXPECT_EQ(back.f32()[(1 << 20) - 1], static_cast<float>(i));
  }
}

TEST_F(BackendTest, NewMemoryIsZero) {
  // Dirties memory that the pool gives out again.
  for (int i = 0; i < 3; ++i) {
    const Tensor tensor = OnDevice({1000}, DType::kF32);
    const Tensor back = ToHost(*device_, tensor.view()).value();
    for (int64_t j = 0; j < 1000; ++j) ASSERT_EQ(back.f32()[j], 0.0f);
    const Tensor ones = Random({1000}, 3);
    Copy(*stream_, {.source = ones.view(), .out = tensor.view()});
  }
}

TEST_F(BackendTest, RecordedPassComputesWhatItDidOpByOp) {
  const DType dtype = device_->compute_dtype();
  const Tensor one = ToDevice(*device_, Random({1000}, 4), dtype).value();
  const Tensor sum = OnDevice({1000}, dtype);
  Arena arena;
  int calls = 0;
  const std::vector<uintptr_t> inputs = {
      reinterpret_cast<uintptr_t>(sum.view().data)};
  const auto forward = [&] {
    ++calls;
    const Scratch twice = arena.Allocate({1000}, dtype);
    Add(*stream_, {.a = one.view(), .b = one.view(), .out = twice.view()});
    Add(*stream_, {.a = sum.view(), .b = twice.view(), .out = sum.view()});
  };

  for (int run = 0; run < 8; ++run) {
    ASSERT_TRUE(arena.RunRecorded(*stream_, inputs, forward).ok());
  }

  // Planned, run once, and recorded once.
  EXPECT_EQ(calls, 3);
  const Tensor x = ToHost(*device_, one.view()).value();
  const Tensor total = ToHost(*device_, sum.view()).value();
  for (int64_t i = 0; i < 1000; ++i) {
    EXPECT_NEAR(total.f32()[i], 16 * x.f32()[i], 0.02 * (1 + 16));
  }
}

TEST_F(BackendTest, TooLargeATensorIsAnErrorAndLeavesTheDeviceUsable) {
  const auto huge = Tensor::Create(*device_, {int64_t{1} << 45}, DType::kU8);

  EXPECT_EQ(huge.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(device_->health().ok());
  EXPECT_TRUE(ToHost(*device_, OnDevice({4}, DType::kF32).view()).ok());
}

TEST_F(BackendTest, OtherThreadsMayUseTheDevice) {
  const Tensor tensor = OnDevice({8}, DType::kF32);
  absl::Status status = absl::UnknownError("not run");
  std::thread other([&] {
    Stream stream(*device_);
    const Tensor host({8}, DType::kF32);
    Copy(stream, {.source = tensor.view(), .out = host.view()});
    status = stream.Synchronize();
  });
  other.join();

  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(BackendTest, DeviceThatIsNotThereIsRefusedWithItsNumber) {
  const absl::Status status = OpenDevice("cuda:999", 0).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("cuda:999"), status.message().npos);
}

}  // namespace
}  // namespace tessera::kernels

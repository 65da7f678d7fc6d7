#include "kernels/stream.h"

#include <memory>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "kernels/ops/elementwise.h"
#include "kernels/tensor.h"

namespace tessera::kernels {
namespace {

class StreamTest : public testing::Test {
 protected:
  const std::unique_ptr<Device> device_ = *CreateCpuDevice(1);
  Stream stream_{*device_};
  const Tensor two_{{2}, DType::kF32};
  const Tensor three_{{3}, DType::kF32};
};

TEST_F(StreamTest, KeepsTheFirstErrorAndStopsWork) {
  two_.f32()[0] = 1;
  const Tensor out({2}, DType::kF32);

  stream_.Fail(absl::InternalError("first"));
  stream_.Fail(absl::InternalError("second"));
  Add(stream_, {.a = two_.view(), .b = two_.view(), .out = out.view()});

  EXPECT_EQ(out.f32()[0], 0.0f);
  EXPECT_EQ(stream_.Synchronize(), absl::InternalError("first"));
}

TEST_F(StreamTest, SynchronizeClearsTheError) {
  two_.f32()[0] = 1;
  const Tensor out({2}, DType::kF32);
  stream_.Fail(absl::InternalError("gone"));
  stream_.Synchronize().IgnoreError();

  Add(stream_, {.a = two_.view(), .b = two_.view(), .out = out.view()});

  EXPECT_EQ(out.f32()[0], 2.0f);
  EXPECT_TRUE(stream_.Synchronize().ok());
}

TEST_F(StreamTest, ValidationErrorsAreLatchedWhilePlanning) {
  stream_.set_planning(true);

  Add(stream_, {.a = two_.view(), .b = three_.view(), .out = two_.view()});

  EXPECT_TRUE(stream_.failed());
}

TEST(DeviceTest, RefusesNoThreads) {
  EXPECT_EQ(CreateCpuDevice(0).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(DeviceTest, DescribesItself) {
  const std::unique_ptr<Device> device = *CreateCpuDevice(2);

  EXPECT_EQ(device->threads(), 2);
  EXPECT_NE(device->description().find("2 threads"), std::string::npos);
}

TEST(DeviceTest, AutoOpensWhatIsThere) {
  const auto device = OpenDevice("auto", 1);

  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_TRUE((*device)->name() == "cpu" || (*device)->name() == "cuda:0");
}

// No machine has so many; a build without CUDA lacks them all.
TEST(DeviceTest, MissingGpuIsNamed) {
  const absl::Status status = OpenDevice("cuda:4711", 1).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST(DeviceTest, RefusesNamesThatNoBuildKnows) {
  for (const char* name : {"", "gpu", "cuda", "cuda:", "cuda:x", "cuda:-1"}) {
    EXPECT_EQ(OpenDevice(name, 1).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
}

}  // namespace
}  // namespace tessera::kernels

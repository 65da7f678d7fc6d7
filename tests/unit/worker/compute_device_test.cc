#include "worker/compute_device.h"

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/guarded_device.h"
#include "tests/support/status_matchers.h"

namespace tessera::worker {
namespace {

using kernels::Device;
using kernels::DType;
using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Returns a device as a GPU is opened.
std::unique_ptr<Device> Gpu() {
  return MakeGuardedDevice(
      {.compute_dtype = DType::kF16, .bytes = int64_t{1} << 20});
}

TEST(ComputeDeviceTest, AutoIsTheDevicesOwnType) {
  const auto gpu = InComputeType(Gpu(), "auto");
  const auto cpu = InComputeType(kernels::CreateCpuDevice(1).value(), "auto");

  ASSERT_THAT(gpu, IsOk());
  ASSERT_THAT(cpu, IsOk());
  EXPECT_EQ((*gpu)->compute_dtype(), DType::kF16);
  EXPECT_EQ((*cpu)->compute_dtype(), DType::kF32);
}

TEST(ComputeDeviceTest, AGpuComputesInTheTypeThatIsNamed) {
  const auto half = InComputeType(Gpu(), "f16");
  const auto brain = InComputeType(Gpu(), "bf16");

  ASSERT_THAT(half, IsOk());
  ASSERT_THAT(brain, IsOk());
  EXPECT_EQ((*half)->compute_dtype(), DType::kF16);
  EXPECT_EQ((*brain)->compute_dtype(), DType::kBF16);
  EXPECT_TRUE((*brain)->has_own_memory());
}

TEST(ComputeDeviceTest, TheCpuKeepsF32) {
  EXPECT_THAT(
      InComputeType(kernels::CreateCpuDevice(1).value(), "bf16"),
      StatusIs(kInvalid, "--compute-dtype: cpu computes in f32, got \"bf16\""));
}

TEST(ComputeDeviceTest, OtherTypesAreRefused) {
  for (const char* name : {"", "f32", "fp16", "F16"}) {
    EXPECT_THAT(InComputeType(Gpu(), name),
                StatusIs(kInvalid, HasSubstr("--compute-dtype: expected")))
        << name;
  }
}

}  // namespace
}  // namespace tessera::worker

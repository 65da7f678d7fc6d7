#include "kernels/cuda/device.h"

#include <cuda_runtime_api.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/error.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {
namespace {

// The oldest that the kernels are compiled for: the first with bf16 and
// asynchronous copies to shared memory.
constexpr int kLeastMajor = 8;

// Writes 13000 as "13.0".
std::string VersionText(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

// Describes a device for logs, such as "cuda:0: NVIDIA H200, sm_90, 132 SMs,
// 140 GiB, driver 13.0".
std::string Describe(int ordinal, const cudaDeviceProp& properties) {
  int driver = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  return absl::StrCat(
      "cuda:", ordinal, ": ", properties.name, ", sm_", properties.major,
      properties.minor, ", ", properties.multiProcessorCount, " SMs, ",
      properties.totalGlobalMem >> 30, " GiB, driver ", VersionText(driver));
}

}  // namespace

absl::StatusOr<int> CountDevices() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorNoDevice) return 0;
  RETURN_IF_ERROR(ToStatus(error, "cuda"));
  return count;
}

absl::StatusOr<std::unique_ptr<Device>> OpenDevice(int ordinal) {
  ASSIGN_OR_RETURN(const int count, CountDevices());
  if (ordinal < 0 || ordinal >= count) {
    return absl::FailedPreconditionError(
        absl::StrCat("no such device, this process sees ", count,
                     " of them: ", "cuda:", ordinal));
  }
  const std::string name = absl::StrCat("cuda:", ordinal);
  cudaDeviceProp properties{};
  RETURN_IF_ERROR(
      ToStatus(cudaGetDeviceProperties(&properties, ordinal), name));
  if (properties.major < kLeastMajor) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, ": ", properties.name, ": needs compute capability ", kLeastMajor,
        ".0, has ", properties.major, ".", properties.minor));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, Backend::Create(ordinal));
  return std::make_unique<Device>(
      DeviceParts{.name = name,
                  .ops = Ops(),
                  .compute_dtype = DType::kF16,
                  .backend = std::move(backend),
                  .description = Describe(ordinal, properties)});
}

}  // namespace tessera::kernels::cuda

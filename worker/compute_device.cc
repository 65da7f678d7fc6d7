#include "worker/compute_device.h"

#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/dtype.h"

namespace tessera::worker {
namespace {

using kernels::DType;

// The types that a user may name, those of GPUs.
constexpr std::array<DType, 2> kTypes = {DType::kF16, DType::kBF16};

}  // namespace

absl::StatusOr<std::unique_ptr<kernels::Device>> InComputeType(
    std::unique_ptr<kernels::Device> device, const std::string& dtype) {
  if (dtype == "auto") return device;
  for (const DType type : kTypes) {
    if (dtype != kernels::Name(type)) continue;
    if (device->compute_dtype() == type) return device;
    if (device->compute_dtype() == DType::kF32) {
      return absl::InvalidArgumentError(
          absl::StrCat("--compute-dtype: ", device->name(),
                       " computes in f32, got \"", dtype, "\""));
    }
    return device->ComputingIn(type);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--compute-dtype: expected auto, f16 or bf16, got \"", dtype, "\""));
}

}  // namespace tessera::worker

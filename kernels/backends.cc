// The one place that knows which backends this build has, and the only one with
// conditions of the preprocessor: TESSERA_HAS_CUDA comes from the build.

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kernels/cpu/instruction_set.h"
#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"
#if TESSERA_HAS_CUDA
#include "kernels/cuda/device.h"
#endif

namespace tessera::kernels {
namespace {

// More than any machine at hand; a slip of the keyboard is refused.
constexpr int kMaxThreads = 1024;

// Opens a GPU by number.
absl::StatusOr<std::unique_ptr<Device>> OpenCuda(int ordinal) {
#if TESSERA_HAS_CUDA
  return cuda::OpenDevice(ordinal);
#else
  return absl::FailedPreconditionError(
      absl::StrCat("device: this build has no CUDA backend: cuda:", ordinal));
#endif
}

}  // namespace

Device::Device(DeviceParts parts) : parts_(std::move(parts)) {}

// Is defined here, where ThreadPool is complete.
Device::~Device() = default;

std::unique_ptr<Device> Device::ComputingIn(DType dtype) const {
  DeviceParts parts = parts_;
  parts.compute_dtype = dtype;
  return std::make_unique<Device>(std::move(parts));
}

Memory& Device::memory() const {
  return backend() == nullptr ? HostMemory() : backend()->memory();
}

int Device::threads() const {
  return parts_.pool == nullptr ? 1 : parts_.pool->threads();
}

absl::Status Device::health() const {
  return backend() == nullptr ? absl::OkStatus() : backend()->health();
}

absl::StatusOr<std::unique_ptr<Device>> CreateCpuDevice(int threads) {
  if (threads < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads: expected at least 1, got ", threads));
  }
  // Refuses rather than falls back: without fused multiply-add each step of a
  // chain rounds twice, and pictures would differ from machine to machine.
  if (!cpu::HasFusedMultiplyAdd()) {
    return absl::FailedPreconditionError(
        "device cpu: this processor lacks AVX2 and FMA, on which equal bits "
        "depend");
  }
  // Describes the instruction set too: timings mean little without it.
  return std::make_unique<Device>(DeviceParts{
      .name = "cpu",
      .ops = cpu::Ops(),
      .pool = std::make_shared<cpu::ThreadPool>(threads),
      .description = absl::StrCat("cpu: ", cpu::InstructionSet(), ", ", threads,
                                  threads == 1 ? " thread" : " threads")});
}

absl::StatusOr<std::unique_ptr<Device>> OpenDevice(const std::string& name,
                                                   int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    return absl::InvalidArgumentError(absl::StrCat(
        "threads: expected 0 to ", kMaxThreads, ", got ", threads));
  }
  constexpr std::string_view kCuda = "cuda:";
  int ordinal = 0;
  if (name.starts_with(kCuda) &&
      absl::SimpleAtoi(name.substr(kCuda.size()), &ordinal) && ordinal >= 0) {
    return OpenCuda(ordinal);
  }
  if (name != "auto" && name != "cpu") {
    return absl::InvalidArgumentError(absl::StrCat(
        "device: expected auto, cpu or cuda:N, got \"", name, "\""));
  }
  if (name == "auto") {
    absl::StatusOr<std::unique_ptr<Device>> first = OpenCuda(0);
    if (first.ok()) return first;
  }
  // Reads 0 where the count is unknown, which stands for one core here.
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return CreateCpuDevice(threads == 0 ? std::max(1, cores) : threads);
}

}  // namespace tessera::kernels

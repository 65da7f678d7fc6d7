// The one place that knows which backends this build has.

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/cpu/instruction_set.h"
#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace tessera::kernels {

Device::Device(DeviceKind kind, const OpTable& ops,
               std::unique_ptr<cpu::ThreadPool> pool, std::string description)
    : kind_(kind),
      ops_(ops),
      pool_(std::move(pool)),
      description_(std::move(description)) {}

Device::~Device() = default;

int Device::threads() const { return pool_->threads(); }

absl::StatusOr<std::unique_ptr<Device>> CreateCpuDevice(int threads) {
  if (threads < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads: expected at least 1, got ", threads));
  }
  if (!cpu::HasFusedMultiplyAdd()) {
    return absl::FailedPreconditionError(
        "device cpu: this processor lacks AVX2 and FMA, on which equal bits "
        "depend");
  }
  return std::make_unique<Device>(
      DeviceKind::kCpu, cpu::Ops(), std::make_unique<cpu::ThreadPool>(threads),
      absl::StrCat("cpu: ", cpu::InstructionSet(), ", ", threads,
                   threads == 1 ? " thread" : " threads"));
}

}  // namespace tessera::kernels

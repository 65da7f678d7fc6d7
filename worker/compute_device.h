// The device of a worker, computing in the type that its user asks for.
#ifndef TESSERA_WORKER_COMPUTE_DEVICE_H_
#define TESSERA_WORKER_COMPUTE_DEVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/device.h"

namespace tessera::worker {

// Returns `device` computing in `dtype`: "auto" is the type that it opened
// with, "f16" and "bf16" are for GPUs. INVALID_ARGUMENT, naming the flag, for
// another name, and for a device that computes in f32.
absl::StatusOr<std::unique_ptr<kernels::Device>> InComputeType(
    std::unique_ptr<kernels::Device> device, const std::string& dtype);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_COMPUTE_DEVICE_H_

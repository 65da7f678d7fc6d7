// A device for tests that stands for a GPU: its memory is visible to ops alone.
#ifndef TESSERA_TESTS_SUPPORT_GUARDED_DEVICE_H_
#define TESSERA_TESTS_SUPPORT_GUARDED_DEVICE_H_

#include <cstdint>
#include <memory>

#include "kernels/device.h"
#include "kernels/dtype.h"

namespace tessera {

struct GuardedDeviceOptions {
  int threads = 1;
  // What activations and weights are stored as. The CPU's ops compute on f32
  // copies, and each result is rounded, as on a GPU that sums in f32.
  kernels::DType compute_dtype = kernels::DType::kF32;
  // Bytes of its memory; address space that costs nothing until it is used.
  int64_t bytes = int64_t{8} << 30;
};

// Returns a device with the CPU's ops and row-major weights. Between two ops
// the process dies with SIGSEGV when it reads or writes the device's memory,
// and Allocate returns RESOURCE_EXHAUSTED beyond `bytes`. One thread at a time
// may use it.
std::unique_ptr<kernels::Device> MakeGuardedDevice(
    const GuardedDeviceOptions& options);

}  // namespace tessera

#endif  // TESSERA_TESTS_SUPPORT_GUARDED_DEVICE_H_

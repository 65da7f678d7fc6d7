// Opening a CUDA device.
#ifndef TESSERA_KERNELS_CUDA_DEVICE_H_
#define TESSERA_KERNELS_CUDA_DEVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kernels/device.h"

namespace tessera::kernels::cuda {

// Returns how many CUDA devices this process sees. FAILED_PRECONDITION with
// the reason where there is no usable driver.
absl::StatusOr<int> CountDevices();

// Opens device `ordinal`, which computes in f16. Errors: FAILED_PRECONDITION
// with the reason when there is no driver, no such device, or one older than
// compute capability 8.0; else what the runtime returns.
absl::StatusOr<std::unique_ptr<Device>> OpenDevice(int ordinal);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_DEVICE_H_

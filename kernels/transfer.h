// Tensors across the border between host and device, one at a time.
#ifndef TESSERA_KERNELS_TRANSFER_H_
#define TESSERA_KERNELS_TRANSFER_H_

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Returns the elements of `host` in the memory of `device` as `dtype`: the
// tensor itself where it is there and of that type. Waits. Errors: those of
// the device; types as in CopyArgs.
absl::StatusOr<Tensor> ToDevice(Device& device, Tensor host, DType dtype);

// Returns a copy on the host of a float tensor of `device`, as f32. Waits.
// Errors: what is wrong with the device.
absl::StatusOr<Tensor> ToHost(Device& device, const TensorView& tensor);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_TRANSFER_H_

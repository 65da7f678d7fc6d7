// The layout of weights on devices with memory of their own.
#ifndef TESSERA_KERNELS_ROW_MAJOR_WEIGHTS_H_
#define TESSERA_KERNELS_ROW_MAJOR_WEIGHTS_H_

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/packed_weights.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Lays a matrix out as rows [n, kernel_h, kernel_w, channels] of the type that
// `device` computes in, and copies it there. Errors: those of the device.
absl::StatusOr<Tensor> PackRowMajor(Device& device, const WeightMatrix& matrix);

// Undoes it up to the rounding, as OpTable's unpack_weights.
absl::StatusOr<Tensor> UnpackRowMajor(const PackedWeights& weights);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_ROW_MAJOR_WEIGHTS_H_

// Weights in 8 bits, beside those in the type that a device computes in.
#ifndef TESSERA_KERNELS_FP8_MATRIX_H_
#define TESSERA_KERNELS_FP8_MATRIX_H_

#include <memory>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// A linear layer in E4M3: x W' is (x / input_scale) values', each column n of
// which is multiplied by input_scale * scales[n]; x / input_scale is rounded to
// E4M3, too. Immutable.
struct Fp8Matrix {
  Tensor values;          // u8 [n, k], with the device
  Tensor scales;          // f32 [n], with the device: input_scale * row's scale
  float input_scale = 1;  // of the layer's inputs
};

// Rounds weights [n, k] f32, on the host, so that the largest of each row
// becomes the largest number of E4M3, and inputs up to `largest_input` are in
// range; larger ones saturate. Errors: INVALID_ARGUMENT unless `largest_input`
// is a positive number; those of the device's memory.
absl::StatusOr<std::shared_ptr<const Fp8Matrix>> MakeFp8Matrix(
    Device& device, const TensorView& weights, float largest_input);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_FP8_MATRIX_H_

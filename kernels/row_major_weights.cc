#include "kernels/row_major_weights.h"

#include <utility>

#include "common/status_macros.h"
#include "kernels/transfer.h"

namespace tessera::kernels {

// Turns [n, channels, taps], the checkpoint's order, to [n, taps, channels], so
// that a convolution reads the channels of one input pixel contiguously.
absl::StatusOr<Tensor> PackRowMajor(Device& device,
                                    const WeightMatrix& matrix) {
  const int64_t taps = matrix.taps(), channels = matrix.channels;
  Tensor rows(Shape{matrix.n, taps * channels}, DType::kF32);
  const float* from = matrix.values;
  for (int64_t row = 0; row < matrix.n; ++row) {
    float* const to = rows.f32() + row * matrix.k();
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) to[tap * channels + c] = *from++;
    }
  }
  return ToDevice(device, std::move(rows), device.compute_dtype());
}

absl::StatusOr<Tensor> UnpackRowMajor(const PackedWeights& weights) {
  ASSIGN_OR_RETURN(const Tensor rows, ToHost(weights.device(), weights.data()));
  const int64_t channels = weights.input_channels();
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  Tensor unpacked(
      Shape{weights.n(), channels, weights.kernel_h(), weights.kernel_w()},
      DType::kF32);
  float* to = unpacked.f32();
  for (int64_t row = 0; row < weights.n(); ++row) {
    const float* const from = rows.f32() + row * weights.k();
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) *to++ = from[tap * channels + c];
    }
  }
  return unpacked;
}

}  // namespace tessera::kernels

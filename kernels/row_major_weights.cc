#include "kernels/row_major_weights.h"

#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "kernels/transfer.h"
#include "kernels/weight_order.h"

namespace tessera::kernels {

// Turns [n, channels, taps], the checkpoint's order, to [n, taps, channels], so
// that a convolution reads the channels of one input pixel contiguously.
absl::StatusOr<Tensor> PackRowMajor(Device& device,
                                    const WeightMatrix& matrix) {
  const int64_t k = matrix.k();
  Tensor rows(Shape{matrix.n, k}, DType::kF32);
  std::vector<float> checkpoint(static_cast<size_t>(k));
  for (int64_t row = 0; row < matrix.n; ++row) {
    matrix.Read(row * k, k, checkpoint.data());
    ChannelsLast(checkpoint.data(), matrix.channels, matrix.taps(),
                 rows.f32() + row * k, 1);
  }
  return ToDevice(device, std::move(rows), device.compute_dtype());
}

absl::StatusOr<Tensor> UnpackRowMajor(const PackedWeights& weights) {
  ASSIGN_OR_RETURN(const Tensor rows, ToHost(weights.device(), weights.data()));
  const int64_t channels = weights.input_channels(), k = weights.k();
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  Tensor unpacked(
      Shape{weights.n(), channels, weights.kernel_h(), weights.kernel_w()},
      DType::kF32);
  for (int64_t row = 0; row < weights.n(); ++row) {
    ChannelsFirst(rows.f32() + row * k, 1, channels, taps,
                  unpacked.f32() + row * k);
  }
  return unpacked;
}

}  // namespace tessera::kernels

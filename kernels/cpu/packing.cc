#include <utility>

#include "kernels/cpu/op_table.h"
#include "kernels/packed_weights.h"
#include "kernels/weight_order.h"

namespace tessera::kernels::cpu {
namespace {

// Shortens the name where offsets are computed.
constexpr int64_t kColumns = PackedWeights::kPanelColumns;

}  // namespace

// Turns [n, channels, taps], the checkpoint's order, into panels
// [panel][tap * channels + c][column]: taps are outermost, so that a tile walks
// the channels of one input pixel contiguously.
absl::StatusOr<Tensor> PackWeights(Device&, const WeightMatrix& matrix) {
  const int64_t k = matrix.k();
  const int64_t panels = (matrix.n + kColumns - 1) / kColumns;
  // Starts zeroed: the columns beyond n in the last panel stay 0, so that a
  // tile may compute them and no store reads them.
  Tensor packed(Shape{panels, k, kColumns}, DType::kF32);
  for (int64_t row = 0; row < matrix.n; ++row) {
    // Points at this output's lane in row 0 of its panel; rows are kColumns
    // apart.
    float* const column =
        packed.f32() + row / kColumns * k * kColumns + row % kColumns;
    ChannelsLast(matrix.values + row * k, matrix.channels, matrix.taps(),
                 column, kColumns);
  }
  return packed;
}

absl::StatusOr<Tensor> UnpackWeights(const PackedWeights& weights) {
  const int64_t channels = weights.input_channels(), k = weights.k();
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  Tensor unpacked(
      Shape{weights.n(), channels, weights.kernel_h(), weights.kernel_w()},
      DType::kF32);
  for (int64_t row = 0; row < weights.n(); ++row) {
    const float* const column =
        weights.panels() + row / kColumns * k * kColumns + row % kColumns;
    ChannelsFirst(column, kColumns, channels, taps, unpacked.f32() + row * k);
  }
  return unpacked;
}

}  // namespace tessera::kernels::cpu

#include "kernels/packed_weights.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/device.h"

namespace tessera::kernels {
namespace {

// Shortens the name where offsets are computed.
constexpr int64_t kColumns = PackedWeights::kPanelColumns;

// Refuses what cannot be packed: another rank, or a matrix without elements,
// for the matmul loop divides by the bytes of a panel.
absl::Status CheckMatrix(const TensorView& weights, int rank) {
  if (weights.shape.rank() != rank || weights.shape.elements() == 0) {
    return absl::InvalidArgumentError(absl::StrCat("weights: expected ", rank,
                                                   " non-empty axes, got ",
                                                   weights.shape.ToString()));
  }
  return absl::OkStatus();
}

// Packs f32 weights [n, channels, taps], the checkpoint's order, into panels
// [panel][tap * channels + c][column]: taps are outermost, so that a tile walks
// the channels of one input pixel contiguously.
PackedWeights Pack(const Tensor& f32, int64_t n, int64_t channels,
                   int64_t kernel_h, int64_t kernel_w) {
  const int64_t taps = kernel_h * kernel_w, k = channels * taps;
  const int64_t panels = (n + kColumns - 1) / kColumns;
  // Starts zeroed: the columns beyond n in the last panel stay 0, so that a
  // tile may compute them and no store reads them.
  Tensor packed(Shape{panels, k, kColumns}, DType::kF32);
  for (int64_t row = 0; row < n; ++row) {
    // Points at this output's lane in row 0 of its panel; rows are kColumns
    // apart.
    float* const column =
        packed.f32() + row / kColumns * k * kColumns + row % kColumns;
    const float* from = f32.f32() + row * k;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        column[(tap * channels + c) * kColumns] = *from++;
      }
    }
  }
  return PackedWeights(std::move(packed), n, k, kernel_h, kernel_w);
}

}  // namespace

Tensor UnpackWeights(const PackedWeights& weights) {
  const int64_t channels = weights.input_channels(), k = weights.k();
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  Tensor unpacked(
      Shape{weights.n(), channels, weights.kernel_h(), weights.kernel_w()},
      DType::kF32);
  float* to = unpacked.f32();
  for (int64_t row = 0; row < weights.n(); ++row) {
    const float* const column =
        weights.panels() + row / kColumns * k * kColumns + row % kColumns;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        *to++ = column[(tap * channels + c) * kColumns];
      }
    }
  }
  return unpacked;
}

absl::StatusOr<PackedWeights> PackGemmWeights(Device&,
                                              const TensorView& weights) {
  RETURN_IF_ERROR(CheckMatrix(weights, 2));
  ASSIGN_OR_RETURN(const Tensor f32, ToF32(weights));
  return Pack(f32, weights.shape[0], weights.shape[1], 1, 1);
}

absl::StatusOr<PackedWeights> PackConvWeights(Device&,
                                              const TensorView& weights) {
  RETURN_IF_ERROR(CheckMatrix(weights, 4));
  ASSIGN_OR_RETURN(const Tensor f32, ToF32(weights));
  return Pack(f32, weights.shape[0], weights.shape[1], weights.shape[2],
              weights.shape[3]);
}

}  // namespace tessera::kernels

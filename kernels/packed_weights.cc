#include "kernels/packed_weights.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/op_table.h"

namespace tessera::kernels {
namespace {

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

// Has the device's backend lay out weights of the given rank.
absl::StatusOr<PackedWeights> Pack(Device& device, const TensorView& weights,
                                   int rank) {
  RETURN_IF_ERROR(CheckMatrix(weights, rank));
  ASSIGN_OR_RETURN(const Tensor f32, ToF32(weights));
  const Shape& shape = weights.shape;
  const WeightMatrix matrix{.values = f32.f32(),
                            .n = shape[0],
                            .channels = shape[1],
                            .kernel_h = rank == 4 ? shape[2] : 1,
                            .kernel_w = rank == 4 ? shape[3] : 1};
  ASSIGN_OR_RETURN(Tensor data, device.ops().pack_weights(device, matrix));
  return PackedWeights(device, std::move(data), matrix);
}

}  // namespace

absl::StatusOr<PackedWeights> PackGemmWeights(Device& device,
                                              const TensorView& weights) {
  return Pack(device, weights, 2);
}

absl::StatusOr<PackedWeights> PackConvWeights(Device& device,
                                              const TensorView& weights) {
  return Pack(device, weights, 4);
}

absl::StatusOr<Tensor> UnpackWeights(const PackedWeights& weights) {
  return weights.device().ops().unpack_weights(weights);
}

}  // namespace tessera::kernels

#include "kernels/packed_weights.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/convert.h"
#include "kernels/op_table.h"

namespace tessera::kernels {
namespace {

// Refuses what cannot be packed: another type or rank, or a matrix without
// elements, for the matmul loop divides by the bytes of a panel.
absl::Status CheckMatrix(const TensorView& weights, int rank) {
  if (weights.shape.rank() != rank || weights.shape.elements() == 0) {
    return absl::InvalidArgumentError(absl::StrCat("weights: expected ", rank,
                                                   " non-empty axes, got ",
                                                   weights.shape.ToString()));
  }
  if (!IsFloat(weights.dtype)) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: expected floating point elements, got ",
                     std::string(Name(weights.dtype))));
  }
  return absl::OkStatus();
}

// Has the device's backend lay out weights of the given rank.
absl::StatusOr<PackedWeights> Pack(Device& device, const TensorView& weights,
                                   int rank) {
  RETURN_IF_ERROR(CheckMatrix(weights, rank));
  const Shape& shape = weights.shape;
  const WeightMatrix matrix{.values = weights.data,
                            .dtype = weights.dtype,
                            .n = shape[0],
                            .channels = shape[1],
                            .kernel_h = rank == 4 ? shape[2] : 1,
                            .kernel_w = rank == 4 ? shape[3] : 1};
  ASSIGN_OR_RETURN(Tensor data, device.ops().pack_weights(device, matrix));
  return PackedWeights(device, std::move(data), matrix);
}

}  // namespace

void WeightMatrix::Read(int64_t first, int64_t count, float* out) const {
  ConvertElements(static_cast<const std::byte*>(values) + first * SizeOf(dtype),
                  dtype, out, DType::kF32, 0, count);
}

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

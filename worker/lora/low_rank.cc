#include "worker/lora/low_rank.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/factor.h"

namespace tessera::lora {
namespace {

using kernels::Shape;
using kernels::Tensor;

// Reads a matrix, or a kernel of 1x1, which is one.
absl::StatusOr<Tensor> ReadPointwise(const LayerParts& layer, Part part) {
  const auto found = layer.parts.find(part);
  if (found != layer.parts.end()) {
    const Shape& shape = found->second.view.shape;
    for (int axis = 2; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      return LayerError(layer, absl::StrCat(std::string(PartName(part)),
                                            " is not 1x1: ", shape.ToString()));
    }
  }
  return ReadMatrix(layer, part);
}

// Reads down, multiplied by the core where there is one.
absl::StatusOr<Tensor> ReadDown(const LayerParts& layer) {
  if (!layer.Has(Part::kMid)) return ReadKernel(layer, Part::kDown);
  // Reads mid(down(x)) as one convolution: down is 1x1, so the core takes its
  // place with the inputs of the layer.
  ASSIGN_OR_RETURN(const Tensor core, ReadKernel(layer, Part::kMid));
  ASSIGN_OR_RETURN(const Tensor down, ReadPointwise(layer, Part::kDown));
  RETURN_IF_ERROR(ExpectSameRank(layer, core.shape()[1], down.shape()[0]));
  RETURN_IF_ERROR(ExpectSameRank(layer, core.shape()[0], core.shape()[1]));
  return FoldCore(layer, core, down);
}

}  // namespace

absl::StatusOr<std::unique_ptr<const LowRank>> LowRank::Read(
    const LayerParts& layer) {
  // Names the missing half before it reads the other.
  if (!layer.Has(Part::kUp) && !layer.Has(Part::kDown)) {
    return LayerError(layer, "layer without the matrices of any kind");
  }
  if (!layer.Has(Part::kUp)) {
    return LayerError(layer, "layer with lora_down but without lora_up");
  }
  if (!layer.Has(Part::kDown)) {
    return LayerError(layer, "layer with lora_up but without lora_down");
  }
  ASSIGN_OR_RETURN(Tensor down, ReadDown(layer));
  // Expects up to be 1x1: no trainer writes it otherwise, and no op runs it.
  ASSIGN_OR_RETURN(Tensor up, ReadPointwise(layer, Part::kUp));
  const int64_t lora_rank = down.shape()[0];
  RETURN_IF_ERROR(ExpectSameRank(layer, lora_rank, up.shape()[1]));
  ASSIGN_OR_RETURN(const double scale, ReadScale(layer, lora_rank));
  return std::unique_ptr<const LowRank>(new LowRank(
      std::move(down), std::move(up), scale, layer.Has(Part::kMid)));
}

LowRank::LowRank(Tensor down, Tensor up, double scale, bool has_core)
    : down_(std::move(down)),
      up_(std::move(up)),
      scale_(scale),
      has_core_(has_core) {}

// Flattens the kernel behind the inputs.
MatrixShape LowRank::shape() const {
  const Shape& down = down_.shape();
  return {.rows = up_.shape()[0],
          .columns = down[1] * down[2] * down[3],
          .kernel = {down[2], down[3]}};
}

// Multiplies the factors out row by row, in the order of the ranks.
void LowRank::AddTo(double strength, std::span<double> sum) const {
  const int64_t lora_rank = down_.shape()[0];
  const int64_t columns = shape().columns;
  for (int64_t row = 0; row < shape().rows; ++row) {
    double* const to = sum.data() + row * columns;
    for (int64_t r = 0; r < lora_rank; ++r) {
      const double factor = strength * scale_ *
                            static_cast<double>(up_.f32()[row * lora_rank + r]);
      const float* const from = down_.f32() + r * columns;
      for (int64_t i = 0; i < columns; ++i) {
        to[i] += factor * static_cast<double>(from[i]);
      }
    }
  }
}

}  // namespace tessera::lora

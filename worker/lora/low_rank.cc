#include "worker/lora/low_rank.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/factor.h"

namespace tessera::lora {
namespace {

using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// Returns a matrix, or a kernel of 1x1, which is one.
absl::StatusOr<TensorView> ViewPointwise(const LayerParts& layer, Part part) {
  const auto found = layer.parts.find(part);
  if (found != layer.parts.end()) {
    const Shape& shape = found->second.view.shape;
    for (int axis = 2; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      return LayerError(layer, absl::StrCat(std::string(PartName(part)),
                                            " is not 1x1: ", shape.ToString()));
    }
  }
  return ViewMatrix(layer, part);
}

// Returns the core multiplied by down: mid(down(x)) as one convolution. Down is
// 1x1, so the core takes its place with the inputs of the layer.
absl::StatusOr<Tensor> ReadFolded(const LayerParts& layer) {
  ASSIGN_OR_RETURN(const Tensor core, ReadKernel(layer, Part::kMid));
  ASSIGN_OR_RETURN(const TensorView view, ViewPointwise(layer, Part::kDown));
  ASSIGN_OR_RETURN(const Tensor down, kernels::ToF32(view));
  RETURN_IF_ERROR(ExpectSameRank(layer, core.shape()[1], down.shape()[0]));
  RETURN_IF_ERROR(ExpectSameRank(layer, core.shape()[0], core.shape()[1]));
  return FoldCore(layer, core, down);
}

// Copies elements whose type was checked when the factors were read.
Tensor Copied(const TensorView& factor) { return *kernels::ToF32(factor); }

}  // namespace

absl::StatusOr<LowRankFactors> ReadLowRank(const LayerParts& layer) {
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
  LowRankFactors factors;
  if (layer.Has(Part::kMid)) {
    ASSIGN_OR_RETURN(factors.folded, ReadFolded(layer));
    factors.down = factors.folded.view();
  } else {
    ASSIGN_OR_RETURN(factors.down, ViewKernel(layer, Part::kDown));
  }
  // Expects up to be 1x1: no trainer writes it otherwise, and no op runs it.
  ASSIGN_OR_RETURN(factors.up, ViewPointwise(layer, Part::kUp));
  RETURN_IF_ERROR(
      ExpectSameRank(layer, factors.lora_rank(), factors.up.shape[1]));
  ASSIGN_OR_RETURN(factors.scale, ReadScale(layer, factors.lora_rank()));
  return factors;
}

// Flattens the kernel behind the inputs.
MatrixShape LowRankFactors::shape() const {
  return {.rows = up.shape[0],
          .columns = down.shape[1] * down.shape[2] * down.shape[3],
          .kernel = {down.shape[2], down.shape[3]}};
}

LowRank::LowRank(const LowRankFactors& factors)
    : shape_(factors.shape()),
      down_(Copied(factors.down)),
      up_(Copied(factors.up)),
      scale_(factors.scale) {}

// Multiplies the factors out row by row, in the order of the ranks.
void LowRank::AddTo(double strength, std::span<double> sum) const {
  const int64_t lora_rank = down_.shape()[0];
  const int64_t columns = shape_.columns;
  for (int64_t row = 0; row < shape_.rows; ++row) {
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

#include "worker/lora/factor.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/convert.h"

namespace tessera::lora {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// The most elements of a core times a factor: four times those of a core of
// rank 640 on the widest convolution of XL, of 2560 inputs.
constexpr int64_t kMaxFolded = int64_t{1} << 26;

// Refuses one tensor, by its key.
absl::Status KeyError(std::string_view what, const std::string& key) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(what), ": ", key));
}

// Finds a part that is there and not empty; an axis of 0 would pass every test
// of shape later.
absl::StatusOr<const PartTensor*> FindPart(const LayerParts& layer, Part part) {
  const auto found = layer.parts.find(part);
  if (found == layer.parts.end()) {
    return LayerError(
        layer, absl::StrCat("layer without its ", std::string(PartName(part))));
  }
  if (found->second.view.shape.elements() == 0) {
    return KeyError("empty tensor", found->second.key);
  }
  return &found->second;
}

// Checks the values of a tensor and returns it under another shape of as many
// elements.
absl::StatusOr<TensorView> Checked(const PartTensor& tensor,
                                   const Shape& shape) {
  const TensorView& view = tensor.view;
  if (!kernels::IsFloat(view.dtype)) {
    return KeyError("tensor is not F32, F16 or BF16", tensor.key);
  }
  if (!kernels::AllFinite(view.data, view.dtype, view.shape.elements())) {
    return KeyError("tensor holds NaN or infinity", tensor.key);
  }
  return view.Reshaped(shape);
}

// Copies what a view was found to be.
absl::StatusOr<Tensor> Copied(const absl::StatusOr<TensorView>& view) {
  RETURN_IF_ERROR(view.status());
  return kernels::ToF32(*view);
}

}  // namespace

absl::Status LayerError(const LayerParts& layer, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), ": ", layer.layer));
}

absl::StatusOr<TensorView> ViewFactor(const LayerParts& layer, Part part) {
  ASSIGN_OR_RETURN(const PartTensor* const tensor, FindPart(layer, part));
  return Checked(*tensor, tensor->view.shape);
}

// Flattens a kernel behind the inputs, as every formula here takes it.
absl::StatusOr<TensorView> ViewMatrix(const LayerParts& layer, Part part) {
  ASSIGN_OR_RETURN(const PartTensor* const tensor, FindPart(layer, part));
  const Shape& shape = tensor->view.shape;
  if (shape.rank() < 2) {
    return KeyError(absl::StrCat("expected a matrix, not ", shape.ToString()),
                    tensor->key);
  }
  return Checked(*tensor, Shape{shape[0], shape.elements() / shape[0]});
}

// Takes a linear layer's factor as a kernel of one element.
absl::StatusOr<TensorView> ViewKernel(const LayerParts& layer, Part part) {
  ASSIGN_OR_RETURN(const PartTensor* const tensor, FindPart(layer, part));
  const Shape& shape = tensor->view.shape;
  if (shape.rank() != 2 && shape.rank() != 4) {
    return LayerError(
        layer, absl::StrCat(std::string(PartName(part)),
                            " has neither 2 nor 4 axes: ", shape.ToString()));
  }
  const bool linear = shape.rank() == 2;
  return Checked(*tensor, Shape{shape[0], shape[1], linear ? 1 : shape[2],
                                linear ? 1 : shape[3]});
}

absl::StatusOr<Tensor> ReadFactor(const LayerParts& layer, Part part) {
  return Copied(ViewFactor(layer, part));
}

absl::StatusOr<Tensor> ReadMatrix(const LayerParts& layer, Part part) {
  return Copied(ViewMatrix(layer, part));
}

absl::StatusOr<Tensor> ReadKernel(const LayerParts& layer, Part part) {
  return Copied(ViewKernel(layer, part));
}

// Prefers the tensor to the metadata: it is what the layer was trained with.
absl::StatusOr<double> ReadScale(const LayerParts& layer, int64_t lora_rank) {
  if (!layer.Has(Part::kAlpha)) return layer.scale_from_metadata.value_or(1.0);
  const std::string& key = layer.parts.at(Part::kAlpha).key;
  ASSIGN_OR_RETURN(const Tensor alpha, ReadFactor(layer, Part::kAlpha));
  // Takes a scalar and a vector of one alike; trainers write both.
  if (alpha.shape().elements() != 1) {
    return KeyError("alpha is not one number", key);
  }
  if (alpha.f32()[0] == 0) return KeyError("alpha is 0", key);
  return static_cast<double>(alpha.f32()[0]) / static_cast<double>(lora_rank);
}

// Names the first part too many, in the order of the table.
absl::Status ExpectOnly(const LayerParts& layer,
                        std::initializer_list<Part> allowed) {
  for (const auto& [part, tensor] : layer.parts) {
    if (std::find(allowed.begin(), allowed.end(), part) == allowed.end()) {
      return KeyError("layer with parts of two kinds of adapter", tensor.key);
    }
  }
  return absl::OkStatus();
}

absl::Status ExpectSameRank(const LayerParts& layer, int64_t a, int64_t b) {
  if (a == b) return absl::OkStatus();
  return LayerError(layer, absl::StrCat("ranks disagree: ", a, " and ", b));
}

// Walks the source in its order; factors are small.
Tensor Transposed(const Tensor& matrix) {
  const int64_t n = matrix.shape()[0], m = matrix.shape()[1];
  Tensor transposed(Shape{m, n}, DType::kF32);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < m; ++j) {
      transposed.f32()[j * n + i] = matrix.f32()[i * m + j];
    }
  }
  return transposed;
}

// Builds a row of the result at a time in double and rounds it once.
absl::StatusOr<Tensor> FoldCore(const LayerParts& layer, const Tensor& core,
                                const Tensor& factor) {
  const int64_t p = core.shape()[0], q = core.shape()[1];
  const int64_t n = factor.shape()[1];
  const int64_t window = core.shape()[2] * core.shape()[3];
  // Bounds the product before it is allocated.
  if (n > kMaxFolded / window / p) {
    return LayerError(layer, "core and factor make too large a tensor");
  }
  Tensor folded(Shape{p, n, core.shape()[2], core.shape()[3]}, DType::kF32);
  std::vector<double> row(static_cast<size_t>(n * window));
  for (int64_t i = 0; i < p; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    for (int64_t j = 0; j < q; ++j) {
      const float* const taps = core.f32() + (i * q + j) * window;
      for (int64_t k = 0; k < n; ++k) {
        const double weight = factor.f32()[j * n + k];
        for (int64_t t = 0; t < window; ++t) {
          row[static_cast<size_t>(k * window + t)] +=
              weight * static_cast<double>(taps[t]);
        }
      }
    }
    std::copy(row.begin(), row.end(), folded.f32() + i * n * window);
  }
  return folded;
}

}  // namespace tessera::lora

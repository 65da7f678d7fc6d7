// The tensors of a layer's adapter, checked one by one.
#ifndef TESSERA_WORKER_LORA_FACTOR_H_
#define TESSERA_WORKER_LORA_FACTOR_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {

// Returns INVALID_ARGUMENT "what: layer".
absl::Status LayerError(const LayerParts& layer, std::string_view what);

// Returns a tensor of the layer where it lies in the file, in its own float
// type. Errors: INVALID_ARGUMENT naming layer or key when it is absent, empty,
// not floating point, or holds a value that is not finite.
absl::StatusOr<kernels::TensorView> ViewFactor(const LayerParts& layer,
                                               Part part);

// As ViewFactor, as a matrix [first extent, product of the others].
absl::StatusOr<kernels::TensorView> ViewMatrix(const LayerParts& layer,
                                               Part part);

// As ViewFactor, as [outputs, inputs, height, width]; a matrix has a kernel of
// 1x1. Errors also for a tensor of neither 2 nor 4 axes.
absl::StatusOr<kernels::TensorView> ViewKernel(const LayerParts& layer,
                                               Part part);

// Return copies as f32 of what the functions above return.
absl::StatusOr<kernels::Tensor> ReadFactor(const LayerParts& layer, Part part);
absl::StatusOr<kernels::Tensor> ReadMatrix(const LayerParts& layer, Part part);
absl::StatusOr<kernels::Tensor> ReadKernel(const LayerParts& layer, Part part);

// Returns alpha / rank; a missing alpha means the rank (Hu et al. 2021,
// section 4.1; diffusers' get_peft_kwargs). Errors: INVALID_ARGUMENT for an
// alpha that is not one finite number, or 0, which would undo the adapter.
absl::StatusOr<double> ReadScale(const LayerParts& layer, int64_t lora_rank);

// Refuses a layer that has parts other than `allowed`, naming the first: a
// layer is of one kind.
absl::Status ExpectOnly(const LayerParts& layer,
                        std::initializer_list<Part> allowed);

// Refuses ranks that disagree, naming both.
absl::Status ExpectSameRank(const LayerParts& layer, int64_t a, int64_t b);

// Returns matrix [n, m] as [m, n].
kernels::Tensor Transposed(const kernels::Tensor& matrix);

// Returns the core of a Tucker decomposition multiplied by a factor: from core
// [p, q, kernel, kernel] and factor [q, n] the tensor [p, n, kernel, kernel],
// sums in double. The caller has checked that q agrees. Errors:
// INVALID_ARGUMENT for a product larger than that of any known layer, since a
// small file can ask for it.
absl::StatusOr<kernels::Tensor> FoldCore(const LayerParts& layer,
                                         const kernels::Tensor& core,
                                         const kernels::Tensor& factor);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_FACTOR_H_

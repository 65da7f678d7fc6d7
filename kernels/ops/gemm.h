// Linear layer: out = activation(a * weights' + bias) + residual.
#ifndef TESSERA_KERNELS_OPS_GEMM_H_
#define TESSERA_KERNELS_OPS_GEMM_H_

#include <cstdint>
#include <optional>

#include "kernels/ops/activation.h"
#include "kernels/packed_weights.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// One linear layer on rows, and what is done to its result in registers.
struct GemmArgs {
  // [..., width]; all axes but the last are rows. Columns
  // [a_column, a_column + k) of each row are read.
  TensorView a;
  int64_t a_column = 0;
  const PackedWeights& weights;    // [n, k]
  std::optional<TensorView> bias;  // [n]
  Activation activation = Activation::kNone;
  std::optional<TensorView> residual;  // shape of `out`; may be `out`
  TensorView out;                      // [..., n], as many rows as `a`
};

// Computes each output as one chain of fused multiply-adds along k that
// starts from the bias, so a row's bits depend on that row alone. `out` must
// not overlap `a`. Errors: INVALID_ARGUMENT for shapes that do not fit
// or more than 65536 inputs.
void Gemm(Stream& stream, const GemmArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_GEMM_H_

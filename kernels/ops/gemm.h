// Linear layers.
#ifndef TESSERA_KERNELS_OPS_GEMM_H_
#define TESSERA_KERNELS_OPS_GEMM_H_

#include "kernels/ops/activation.h"
#include "kernels/packed_weights.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Gemm. `a` and `out` may be columns of wider rows.
struct GemmArgs {
  TensorView a;          // [M, K] f32
  int64_t a_stride = 0;  // elements from row to row of `a`; 0: K
  const PackedWeights* weights = nullptr;  // [N, K] with bias
  Activation activation = Activation::kNone;
  TensorView residual;     // [M, N] f32 with out's stride, or empty
  TensorView out;          // [M, N] f32
  int64_t out_stride = 0;  // elements from row to row of `out`; 0: N
};

// Computes out = activation(a · weightsᵀ + bias) + residual.
//
// Each output is one chain of fused multiply-adds along K that starts from the
// bias, so its bits do not depend on M, threads or vector width. `out` may
// alias `residual`. Latches INVALID_ARGUMENT if shapes disagree.
void Gemm(Stream& stream, const GemmArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_GEMM_H_

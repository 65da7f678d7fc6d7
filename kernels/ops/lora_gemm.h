// Low-rank adapters beside frozen weights.
#ifndef TESSERA_KERNELS_OPS_LORA_GEMM_H_
#define TESSERA_KERNELS_OPS_LORA_GEMM_H_

#include "kernels/packed_weights.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// One adapter at one layer for some rows of the batch.
struct LoraSegment {
  int64_t first_row = 0;  // rows [first_row, first_row + rows) of x and out
  int64_t rows = 0;
  const PackedWeights* down = nullptr;  // A: [r, K], no bias
  const PackedWeights* up = nullptr;    // B: [N, r], no bias
  float scale = 0;                      // strength * alpha / r
};

// Arguments of LoraGemm.
struct LoraGemmArgs {
  TensorView x;                           // [M, K] f32
  const LoraSegment* segments = nullptr;  // applied in order
  int64_t num_segments = 0;
  TensorView hidden;       // [M, r] f32 scratch, r the largest rank
  TensorView out;          // [M, N] f32, added to
  int64_t out_stride = 0;  // elements from row to row of `out`; 0: N
};

// Adds scale · (x Aᵀ) Bᵀ to the rows of each segment (Hu et al. 2021). Several
// segments may name the same rows; a row's bits depend on its own segments
// only, and a scale of 0 leaves its rows untouched.
void LoraGemm(Stream& stream, const LoraGemmArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_LORA_GEMM_H_

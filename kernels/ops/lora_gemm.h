// Low-rank adapters on row segments: y += scale * (x A') B'.
#ifndef TESSERA_KERNELS_OPS_LORA_GEMM_H_
#define TESSERA_KERNELS_OPS_LORA_GEMM_H_

#include <cstdint>
#include <span>

#include "kernels/packed_weights.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// One adapter on rows [row_begin, row_end). Segments may overlap: several
// adapters on one row add up in the order given.
struct LoraSegment {
  int64_t row_begin = 0;
  int64_t row_end = 0;
  const PackedWeights* down = nullptr;  // A [rank, k]; null: x holds x A'
  const PackedWeights* up = nullptr;    // B [n, rank], rank at most 1024
  float scale = 1;                      // strength times alpha / rank
};

// The segments of one linear layer and the columns they read and update.
struct LoraGemmArgs {
  TensorView x;          // [..., width]
  int64_t x_column = 0;  // first of the k columns read
  std::span<const LoraSegment> segments;
  TensorView out;          // [..., out_width], in and out
  int64_t out_column = 0;  // first of the n columns updated
};

// Adds each segment's adapter to `out`; rows outside all segments keep their
// bits, and a row's bits do not depend on other rows. `out` must not overlap
// `x`. Errors: INVALID_ARGUMENT for shapes that do not fit.
void LoraGemm(Stream& stream, const LoraGemmArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_LORA_GEMM_H_

// From the operands of attention to one tile's task.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_TASK_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_TASK_H_

#include <cstdint>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// log2(e), by which scores in base e become exponents of two.
inline constexpr float kLog2E = 1.4426950408889634f;

// One head's rows of an operand: element (row, column) is data[row * pitch +
// column]; `rows` and `columns` of them exist.
struct HeadRows {
  const uint16_t* data = nullptr;
  int64_t pitch = 0;
  int64_t rows = 0;
  int columns = 0;
};

// What a thread block is asked for.
struct AttentionTask {
  HeadRows q, k, v;
  uint16_t* out = nullptr;  // of the same head
  int64_t out_pitch = 0;
  int64_t first_query = 0;
  float scale_log2 = 0;  // scale * log2(e), not negative
  bool causal = false;
};

// Returns picture `n` and head `head` of an operand with `rows` rows a picture.
constexpr HeadRows HeadOf(const AttentionOperand& operand, int64_t rows,
                          int64_t head_dim, int64_t n, int64_t head) {
  return {static_cast<const uint16_t*>(operand.data) +
              n * rows * operand.pitch + operand.column + head * head_dim,
          operand.pitch, rows, static_cast<int>(head_dim)};
}

// Returns the task of the tile that begins at `first_query`.
constexpr AttentionTask TaskOf(const AttentionParams& params, int64_t n,
                               int64_t head, int64_t first_query) {
  const int64_t d = params.head_dim;
  return {.q = HeadOf(params.q, params.queries, d, n, head),
          .k = HeadOf(params.k, params.keys, d, n, head),
          .v = HeadOf(params.v, params.keys, d, n, head),
          .out = static_cast<uint16_t*>(params.out) +
                 n * params.queries * params.heads * d + head * d,
          .out_pitch = params.heads * d,
          .first_query = first_query,
          .scale_log2 = params.scale * kLog2E,
          .causal = params.causal};
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_TASK_H_

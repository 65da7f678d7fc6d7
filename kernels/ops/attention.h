// Multi-head attention, self or cross.
#ifndef TESSERA_KERNELS_OPS_ATTENTION_H_
#define TESSERA_KERNELS_OPS_ATTENTION_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Attention. q, k and v are rows of heads * head_dim columns and
// may be columns of wider rows (of one gemm that made them together).
struct AttentionArgs {
  TensorView q;          // first element of [N, S, heads * D] f32
  int64_t q_stride = 0;  // elements from row to row
  TensorView k;          // first element of [*, T, heads * D] f32
  TensorView v;
  int64_t kv_stride = 0;
  // Which picture of k and v each batch row attends to: [N] i32, or empty for
  // row n to n. Lets rows share the keys of one prompt.
  TensorView kv_row;
  int64_t batch = 0;    // N
  int64_t queries = 0;  // S
  int64_t keys = 0;     // T
  int64_t heads = 0;
  int64_t head_dim = 0;  // D, 1 to 512
  float scale = 0;       // usually 1 / sqrt(D)
  bool causal = false;   // query s sees keys 0 to s only; S = T
  TensorView out;        // [N, S, heads * D] f32, contiguous
};

// Computes softmax(q·kᵀ·scale)·v for each batch row and head without holding
// the [N, heads, S, T] scores (Dao et al. 2022, algorithm 1).
//
// Keys are taken in fixed blocks of 256, so bits do not depend on N, threads or
// vector width. Latches INVALID_ARGUMENT if sizes disagree.
void Attention(Stream& stream, const AttentionArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_ATTENTION_H_

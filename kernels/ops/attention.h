// softmax(scale * q k') v, fused, head by head.
#ifndef TESSERA_KERNELS_OPS_ATTENTION_H_
#define TESSERA_KERNELS_OPS_ATTENTION_H_

#include <cstdint>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Queries, keys and values are column slices of rows: head i of q is columns
// [q_column + i * head_dim, q_column + (i + 1) * head_dim), so all three may
// be parts of one gemm's output.
struct AttentionArgs {
  TensorView q;  // [n, queries, q_width]
  int64_t q_column = 0;
  TensorView k;  // [n, keys, k_width]
  int64_t k_column = 0;
  TensorView v;  // [n, keys, v_width]
  int64_t v_column = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;  // 1 to 1024
  float scale = 0;       // usually 1 / sqrt(head_dim)
  bool causal = false;   // query i sees keys 0..i; needs queries == keys
  TensorView out;        // [n, queries, heads * head_dim]
};

// Never holds the whole score matrix: an online softmax in f32 over blocks of
// keys of one fixed size, so that a row's bits depend on its own inputs only.
// `out` must not overlap the inputs. Errors: INVALID_ARGUMENT for shapes that
// do not fit, no keys, or a head_dim outside 1..1024.
void Attention(Stream& stream, const AttentionArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_ATTENTION_H_

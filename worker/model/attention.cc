#include "worker/model/attention.h"

#include <cmath>

#include "kernels/ops/attention.h"

namespace tessera::model {
namespace {

using kernels::TensorView;

// Returns 1 / sqrt(head_dim) (Vaswani et al. 2017, equation 1).
float Scale(int64_t head_dim) {
  return 1.0f / std::sqrt(static_cast<float>(head_dim));
}

}  // namespace

void SelfAttention(const Pass& pass, const TensorView& qkv, int64_t heads,
                   bool causal, const TensorView& out) {
  const int64_t c = out.shape[2];
  // Reads all three from one tensor: columns [0, C), [C, 2 C) and [2 C, 3 C).
  kernels::Attention(pass.stream, {.q = qkv,
                                   .k = qkv,
                                   .k_column = c,
                                   .v = qkv,
                                   .v_column = 2 * c,
                                   .heads = heads,
                                   .head_dim = c / heads,
                                   .scale = Scale(c / heads),
                                   .causal = causal,
                                   .out = out});
}

void CrossAttention(const Pass& pass, const TensorView& q, const TensorView& kv,
                    int64_t heads, const TensorView& out) {
  const int64_t c = out.shape[2];
  // Shares one layout with the text keys that are made once a prompt.
  // Has no mask: every position sees the whole prompt, pads included.
  kernels::Attention(pass.stream, {.q = q,
                                   .k = kv,
                                   .v = kv,
                                   .v_column = c,
                                   .heads = heads,
                                   .head_dim = c / heads,
                                   .scale = Scale(c / heads),
                                   .out = out});
}

}  // namespace tessera::model

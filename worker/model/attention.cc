#include "worker/model/attention.h"

#include <cmath>

#include "kernels/ops/attention.h"

namespace tessera::model {
namespace {

using kernels::TensorView;

float Scale(int64_t head_dim) {
  return 1.0f / std::sqrt(static_cast<float>(head_dim));
}

}  // namespace

void SelfAttention(const Pass& pass, const TensorView& qkv, int64_t heads,
                   bool causal, const TensorView& out) {
  const int64_t c = out.shape[2];
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

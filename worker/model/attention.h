// Multi-head attention as the nets use it.
#ifndef TESSERA_WORKER_MODEL_ATTENTION_H_
#define TESSERA_WORKER_MODEL_ATTENTION_H_

#include <cstdint>

#include "kernels/tensor.h"
#include "worker/model/pass.h"

namespace tessera::model {

// Attends within each row: qkv [N, S, 3 C] holds queries, keys and values side
// by side, out [N, S, C]. `heads` divides C. With `causal` a position sees
// itself and those before it.
void SelfAttention(const Pass& pass, const kernels::TensorView& qkv,
                   int64_t heads, bool causal, const kernels::TensorView& out);

// Attends to a context: q [N, S, C], kv [N, T, 2 C] with keys and values side
// by side, out [N, S, C].
void CrossAttention(const Pass& pass, const kernels::TensorView& q,
                    const kernels::TensorView& kv, int64_t heads,
                    const kernels::TensorView& out);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_ATTENTION_H_

// The operands of attention as kernels see them.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_PARAMS_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_PARAMS_H_

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Which family of kernels to use. kMma runs on every device since sm_80;
// kHopper is used where device and shape allow, else kMma.
enum class AttentionVariant { kMma, kHopper };

// Rows of `pitch` elements; head i of a row starts at column + i * head_dim.
// The rows of one picture follow those of the one before.
struct AttentionOperand {
  const void* data = nullptr;
  int64_t pitch = 0;
  int64_t column = 0;
};

// Everything that LaunchAttention needs; AttentionArgs with raw pointers.
struct AttentionParams {
  AttentionOperand q;   // [n, queries, q.pitch]
  AttentionOperand k;   // [n, keys, k.pitch]
  AttentionOperand v;   // [n, keys, v.pitch]
  void* out = nullptr;  // [n, queries, heads * head_dim]
  int64_t n = 0;        // at most 65535
  int64_t queries = 0;
  int64_t keys = 0;      // at least 1
  int64_t heads = 0;     // at most 65535
  int64_t head_dim = 0;  // 1 to 1024
  float scale = 0;
  bool causal = false;        // query i sees keys 0..i; needs queries == keys
  DType dtype = DType::kF16;  // f16 or bf16, of all operands
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_PARAMS_H_

// Rows of a vocabulary plus rows of positions.
#ifndef TESSERA_KERNELS_CUDA_TOKEN_EMBEDDING_H_
#define TESSERA_KERNELS_CUDA_TOKEN_EMBEDDING_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The tables that turn token ids into rows.
struct TokenEmbeddingParams {
  const int32_t* ids = nullptr;     // [n, tokens]
  const void* table = nullptr;      // [vocabulary, channels]
  const void* positions = nullptr;  // [at least tokens, channels]
  void* out = nullptr;              // [n, tokens, channels]
  int64_t n = 0;
  int64_t tokens = 0;
  int64_t channels = 0;
  int64_t vocabulary = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of both tables and of `out`
};

// out[i, t] = table[ids[i, t]] + positions[t]. An id outside the vocabulary,
// which the host cannot see here, makes its row NaN. Errors: what the launch
// returns; cudaErrorInvalidValue for another dtype.
cudaError_t LaunchTokenEmbedding(const TokenEmbeddingParams& params,
                                 cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TOKEN_EMBEDDING_H_

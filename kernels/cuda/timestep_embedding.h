// Sinusoids of timesteps.
#ifndef TESSERA_KERNELS_CUDA_TIMESTEP_EMBEDDING_H_
#define TESSERA_KERNELS_CUDA_TIMESTEP_EMBEDDING_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The settings of a sinusoidal embedding; see kernels/ops/embedding.h.
struct TimestepEmbeddingParams {
  const float* timesteps = nullptr;  // [n], in device memory
  bool flip_sin_to_cos = false;
  float downscale_freq_shift = 0;
  void* out = nullptr;  // [n, dim]
  int64_t n = 0;
  int64_t dim = 0;  // even
  DType out_dtype = DType::kF16;
};

// Sinusoids of t * 10000^(-i / (dim/2 - shift)), sines then cosines unless
// flipped, in f32 with the reference's order of operations. Errors: what the
// launch returns; cudaErrorInvalidValue for no float dtype.
cudaError_t LaunchTimestepEmbedding(const TimestepEmbeddingParams& params,
                                    cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TIMESTEP_EMBEDDING_H_

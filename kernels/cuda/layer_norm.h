// Layer normalisation over the last axis.
#ifndef TESSERA_KERNELS_CUDA_LAYER_NORM_H_
#define TESSERA_KERNELS_CUDA_LAYER_NORM_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/layer_norm_plan.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The operand and the parameters of a layer norm.
struct LayerNormParams {
  const void* input = nullptr;    // [rows, channels]
  const float* weight = nullptr;  // [channels]
  const float* bias = nullptr;    // [channels]
  void* out = nullptr;            // may be `input`
  int64_t rows = 0;
  int64_t channels = 0;
  float eps = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of `input` and `out`
};

// Normalises each row: mean first, then the squares of the differences from
// it, in f32 in an order that `channels` fixes. `input` and `out` are aligned
// to 16 bytes. Errors: what the launch returns; cudaErrorInvalidValue for
// another dtype, cudaErrorMisalignedAddress.
cudaError_t LaunchLayerNorm(const LayerNormParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_LAYER_NORM_H_

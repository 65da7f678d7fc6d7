// Gated GELU: the first half times gelu of the second half.
#ifndef TESSERA_KERNELS_CUDA_GEGLU_H_
#define TESSERA_KERNELS_CUDA_GEGLU_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The operand of a gated GELU, as one projection makes it.
struct GegluParams {
  const void* input = nullptr;  // [rows, 2 * channels]: values, then gates
  void* out = nullptr;          // [rows, channels], no overlap
  int64_t rows = 0;
  int64_t channels = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of both
};

// out = value * gelu(gate) with the exact (erf) GELU, in f32, rounded once.
// Errors: what the launch returns; cudaErrorInvalidValue for another dtype.
cudaError_t LaunchGeglu(const GegluParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GEGLU_H_

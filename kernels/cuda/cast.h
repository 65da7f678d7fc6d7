// Conversion between the float types.
#ifndef TESSERA_KERNELS_CUDA_CAST_H_
#define TESSERA_KERNELS_CUDA_CAST_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// `elements` contiguous elements and their copy of another type.
struct CastParams {
  const void* input = nullptr;
  DType input_dtype = DType::kF32;  // f32, f16 or bf16
  void* out = nullptr;              // must not overlap `input`
  DType out_dtype = DType::kF16;    // f32, f16 or bf16
  int64_t elements = 0;
};

// Rounds to nearest even; f16 overflows to infinity. Errors: what the launch
// returns; cudaErrorInvalidValue for another dtype.
cudaError_t LaunchCast(const CastParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CAST_H_

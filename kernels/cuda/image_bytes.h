// Pictures of floats in [-1, 1] to bytes.
#ifndef TESSERA_KERNELS_CUDA_IMAGE_BYTES_H_
#define TESSERA_KERNELS_CUDA_IMAGE_BYTES_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The picture and the bytes it becomes, `elements` of each.
struct ImageBytesParams {
  const void* input = nullptr;
  DType input_dtype = DType::kF16;  // f32, f16 or bf16
  uint8_t* out = nullptr;
  int64_t elements = 0;
};

// out = round(255 * clamp(x / 2 + 0.5, 0, 1)), halves to even; NaN becomes 0.
// Equal inputs give the CPU's bytes. Errors: what the launch returns;
// cudaErrorInvalidValue for another dtype.
cudaError_t LaunchImageBytes(const ImageBytesParams& params,
                             cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_IMAGE_BYTES_H_

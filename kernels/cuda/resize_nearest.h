// Nearest-neighbour resize of NHWC pictures.
#ifndef TESSERA_KERNELS_CUDA_RESIZE_NEAREST_H_
#define TESSERA_KERNELS_CUDA_RESIZE_NEAREST_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The pictures and their copies of another size.
struct ResizeNearestParams {
  const void* input = nullptr;  // [n, height, width, channels]
  void* out = nullptr;  // [n, out_height, out_width, channels], no overlap
  int64_t n = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  int64_t out_height = 0;
  int64_t out_width = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of both
};

// out[y, x] = input[y * height / out_height, x * width / out_width], rounded
// down. Errors: what the launch returns; cudaErrorInvalidValue for another
// dtype.
cudaError_t LaunchResizeNearest(const ResizeNearestParams& params,
                                cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_RESIZE_NEAREST_H_

// Reductions over the lanes of a warp, in one fixed order.
#ifndef TESSERA_KERNELS_CUDA_WARP_CUH_
#define TESSERA_KERNELS_CUDA_WARP_CUH_

#include <cuda_runtime.h>

namespace tessera::kernels::cuda {

// Returns the sum over all 32 lanes, in every lane with the same bits: each
// step adds two numbers, and addition of two commutes.
__device__ inline float WarpSum(float x) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(0xFFFFFFFFu, x, distance);
  }
  return x;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_WARP_CUH_

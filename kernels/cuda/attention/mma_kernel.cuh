// The kernel around MmaAttentionTile, and its launch.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_MMA_KERNEL_CUH_
#define TESSERA_KERNELS_CUDA_ATTENTION_MMA_KERNEL_CUH_

#include <cuda_runtime.h>

#include "kernels/cuda/attention/mma_shapes.h"
#include "kernels/cuda/attention/mma_tile.h"
#include "kernels/cuda/attention/task.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles/device_cta.cuh"

namespace tessera::kernels::cuda {

// A block computes a tile of one head of one picture. The shape's fields are
// parameters of their own so that profiles and reports name them. Tiles of a
// head follow each other, so that its keys and values are in L2 for all but the
// first.
template <int kHeadDim, int kRows, int kKeys, int kWarps, int kSplit,
          DType kElement>
__global__ void __launch_bounds__(32 * kWarps)
    MmaAttentionKernel(AttentionParams params) {
  constexpr MmaShape kShape = {kHeadDim, kRows, kKeys, kWarps, kSplit};
  static_assert(kShape.valid());
  DeviceCta<kShape.threads()> cta(SharedMemory<unsigned char>());
  const AttentionTask task =
      TaskOf(params, blockIdx.z, blockIdx.y, int64_t{kShape.rows} * blockIdx.x);
  MmaAttentionTile<DeviceCta<kShape.threads()>, kShape, kElement>(cta, task)
      .Run();
}

// Launches the kernel of kMmaShapes[kShapeIndex] for parameters that it fits.
template <int kShapeIndex, DType kElement>
cudaError_t LaunchShape(const AttentionParams& params, cudaStream_t stream) {
  constexpr MmaShape kShape = kMmaShapes[kShapeIndex];
  const auto kernel =
      MmaAttentionKernel<kShape.head_dim, kShape.rows, kShape.keys,
                         kShape.warps, kShape.split, kElement>;
  const dim3 grid(
      static_cast<unsigned>((params.queries + kShape.rows - 1) / kShape.rows),
      static_cast<unsigned>(params.heads), static_cast<unsigned>(params.n));
  return LaunchKernel(kernel, grid, kShape.threads(), kShape.shared_bytes(),
                      stream, params);
}

// Launches kMmaShapes[shape] for heads of kFirst to kLast columns, and compiles
// the kernels of all such shapes, those from kShapeIndex on.
template <int kFirst, int kLast, int kShapeIndex = 0>
cudaError_t LaunchOneOf(int shape, const AttentionParams& params,
                        cudaStream_t stream) {
  if constexpr (kShapeIndex < static_cast<int>(kMmaShapes.size())) {
    constexpr int kHeadDim = kMmaShapes[kShapeIndex].head_dim;
    if constexpr (kFirst <= kHeadDim && kHeadDim <= kLast) {
      if (shape == kShapeIndex) {
        return params.dtype == DType::kF16
                   ? LaunchShape<kShapeIndex, DType::kF16>(params, stream)
                   : LaunchShape<kShapeIndex, DType::kBF16>(params, stream);
      }
    }
    return LaunchOneOf<kFirst, kLast, kShapeIndex + 1>(shape, params, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_MMA_KERNEL_CUH_

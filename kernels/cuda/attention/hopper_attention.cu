#include <iterator>

#include "kernels/cuda/attention/hopper_attention.h"
#include "kernels/cuda/attention/hopper_kernel.cuh"
#include "kernels/cuda/attention/hopper_maps.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles/encode_tensor_map.h"

namespace tessera::kernels::cuda {
namespace {

// Launches the kernel of one shape and type.
template <int kHeadDim, DType kElement>
cudaError_t Launch(const AttentionParams& params, cudaStream_t stream) {
  constexpr HopperShape kShape = {kHeadDim};
  HopperParams all;
  all.attention = params;
  const auto encode = [&](const AttentionOperand& operand, int64_t rows,
                          int box_rows, CUtensorMap* map) {
    return EncodeTensorMap(MapOf(operand, rows, params, box_rows), kElement,
                           map);
  };
  cudaError_t error = encode(params.q, params.queries, kShape.kRows, &all.q);
  if (error == cudaSuccess) {
    error = encode(params.k, params.keys, kShape.kKeys, &all.k);
  }
  if (error == cudaSuccess) {
    error = encode(params.v, params.keys, kShape.kKeys, &all.v);
  }
  if (error != cudaSuccess) return error;
  const dim3 grid(
      static_cast<unsigned>((params.queries + kShape.kRows - 1) / kShape.kRows),
      static_cast<unsigned>(params.heads), static_cast<unsigned>(params.n));
  return LaunchKernel(HopperAttentionKernel<kHeadDim, kElement>, grid,
                      kShape.kThreads, kShape.shared_bytes(), stream, all);
}

// Launches the kernel of one shape.
template <int kHeadDim>
cudaError_t LaunchShape(const AttentionParams& params, cudaStream_t stream) {
  return params.dtype == DType::kF16
             ? Launch<kHeadDim, DType::kF16>(params, stream)
             : Launch<kHeadDim, DType::kBF16>(params, stream);
}

}  // namespace

cudaError_t LaunchHopperAttention(int shape, const AttentionParams& params,
                                  cudaStream_t stream) {
  static_assert(std::size(kHopperShapes) == 2);
  return shape == 0 ? LaunchShape<kHopperShapes[0].head_dim>(params, stream)
                    : LaunchShape<kHopperShapes[1].head_dim>(params, stream);
}

}  // namespace tessera::kernels::cuda

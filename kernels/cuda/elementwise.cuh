// The kernel under every op that maps elements one by one.
//
// Bound by memory: 16-byte loads and stores, as many bytes in flight as the
// grid has threads, arithmetic in f32. Each element is computed by one thread
// from its own inputs, so its bits depend on nothing else.
#ifndef TESSERA_KERNELS_CUDA_ELEMENTWISE_CUH_
#define TESSERA_KERNELS_CUDA_ELEMENTWISE_CUH_

#include <algorithm>

#include "kernels/cuda/element.cuh"
#include "kernels/cuda/elementwise_plan.h"
#include "kernels/cuda/launch.cuh"

namespace tessera::kernels::cuda {

// Calls `op.template Run<width>(first)` for every pack of `width` elements
// starting at `first`, and for every element of the tail with width 1.
template <int kWidth, typename Op>
__global__ void __launch_bounds__(kElementwiseThreads)
    ElementwiseKernel(Op op, int64_t packs, int64_t tail) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  for (; i < packs; i += stride) op.template Run<kWidth>(i * kWidth);
  if constexpr (kWidth > 1) {
    if (i < packs + tail) op.template Run<1>(packs * kWidth + (i - packs));
  }
}

// Launches `op` by a plan made for packs of kWidth or of one element.
template <int kWidth, typename Op>
cudaError_t LaunchElementwise(const Op& op, const ElementwisePlan& plan,
                              cudaStream_t stream) {
  if (plan.blocks == 0) return cudaSuccess;
  return LaunchKernel(plan.width == kWidth ? ElementwiseKernel<kWidth, Op>
                                           : ElementwiseKernel<1, Op>,
                      dim3(static_cast<unsigned>(plan.blocks)),
                      kElementwiseThreads, 0, stream, op, plan.packs,
                      plan.tail);
}

// Returns the bitwise or of addresses, by which a plan judges alignment.
template <typename... Pointers>
uintptr_t Addresses(Pointers... pointers) {
  return (uintptr_t{0} | ... | reinterpret_cast<uintptr_t>(pointers));
}

// Maps packs of N elements one by one: out = Function()(input).
template <typename From, typename To, typename Function>
struct MapOp {
  const From* input;
  To* out;

  template <int N>
  __device__ void Run(int64_t first) const {
    const auto x = *reinterpret_cast<const Pack<From, N>*>(input + first);
    Pack<To, N> y;
#pragma unroll
    for (int i = 0; i < N; ++i) y.v[i] = Function()(x.v[i]);
    *reinterpret_cast<Pack<To, N>*>(out + first) = y;
  }
};

// Launches a map of `elements` elements; `out` may be `input`.
template <typename From, typename To, typename Function>
cudaError_t LaunchMap(const void* input, void* out, int64_t elements,
                      cudaStream_t stream) {
  constexpr int kWidest = std::max(sizeof(From), sizeof(To));
  const MapOp<From, To, Function> op = {static_cast<const From*>(input),
                                        static_cast<To*>(out)};
  return LaunchElementwise<kVectorBytes / kWidest>(
      op, PlanElementwise(elements, kWidest, Addresses(input, out)), stream);
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ELEMENTWISE_CUH_

#include <algorithm>

#include "kernels/cuda/cast.h"
#include "kernels/cuda/elementwise.cuh"

namespace tessera::kernels::cuda {
namespace {

// Converts packs of N elements by way of f32, which holds all three exactly.
template <typename From, typename To>
struct CastOp {
  const From* input;
  To* out;

  template <int N>
  __device__ void Run(int64_t first) const {
    const auto x = *reinterpret_cast<const Pack<From, N>*>(input + first);
    Pack<To, N> y;
#pragma unroll
    for (int i = 0; i < N; ++i) y.v[i] = FromFloat<To>(ToFloat(x.v[i]));
    *reinterpret_cast<Pack<To, N>*>(out + first) = y;
  }
};

}  // namespace

cudaError_t LaunchCast(const CastParams& params, cudaStream_t stream) {
  return DispatchElement(params.input_dtype, [&]<typename From>() {
    return DispatchElement(params.out_dtype, [&]<typename To>() {
      constexpr int kWidest = std::max(sizeof(From), sizeof(To));
      const CastOp<From, To> op = {static_cast<const From*>(params.input),
                                   static_cast<To*>(params.out)};
      return LaunchElementwise<kVectorBytes / kWidest>(
          op,
          PlanElementwise(params.elements, kWidest,
                          Addresses(params.input, params.out)),
          stream);
    });
  });
}

}  // namespace tessera::kernels::cuda

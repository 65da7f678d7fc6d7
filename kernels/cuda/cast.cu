#include "kernels/cuda/cast.h"
#include "kernels/cuda/elementwise.cuh"

namespace tessera::kernels::cuda {
namespace {

// Converts by way of f32, which holds all three types exactly.
template <typename From, typename To>
struct Convert {
  __device__ To operator()(From x) const { return FromFloat<To>(ToFloat(x)); }
};

}  // namespace

cudaError_t LaunchCast(const CastParams& params, cudaStream_t stream) {
  return DispatchElement(params.input_dtype, [&]<typename From>() {
    return DispatchElement(params.out_dtype, [&]<typename To>() {
      return LaunchMap<From, To, Convert<From, To>>(params.input, params.out,
                                                    params.elements, stream);
    });
  });
}

}  // namespace tessera::kernels::cuda

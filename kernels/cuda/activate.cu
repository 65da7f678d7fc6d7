#include "kernels/cuda/activate.h"
#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/elementwise.cuh"

namespace tessera::kernels::cuda {
namespace {

// Computes in f32, as the CPU does.
template <typename T, Activation activation>
struct Activate {
  __device__ T operator()(T x) const {
    return FromFloat<T>(Activated<activation>(ToFloat(x)));
  }
};

}  // namespace

cudaError_t LaunchActivate(const ActivateParams& params, cudaStream_t stream) {
  return DispatchElement(params.dtype, [&]<typename T>() {
    return DispatchActivation(params.activation, [&]<Activation activation>() {
      return LaunchMap<T, T, Activate<T, activation>>(params.input, params.out,
                                                      params.elements, stream);
    });
  });
}

}  // namespace tessera::kernels::cuda

#include "kernels/cuda/activate.h"
#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/elementwise.cuh"

namespace tessera::kernels::cuda {
namespace {

// Activates packs of N elements.
template <typename T, Activation activation>
struct ActivateOp {
  const T* input;
  T* out;

  template <int N>
  __device__ void Run(int64_t first) const {
    auto x = *reinterpret_cast<const Pack<T, N>*>(input + first);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      x.v[i] = FromFloat<T>(Activated<activation>(ToFloat(x.v[i])));
    }
    *reinterpret_cast<Pack<T, N>*>(out + first) = x;
  }
};

}  // namespace

cudaError_t LaunchActivate(const ActivateParams& params, cudaStream_t stream) {
  return DispatchElement(params.dtype, [&]<typename T>() {
    return DispatchActivation(params.activation, [&]<Activation activation>() {
      const ActivateOp<T, activation> op = {static_cast<const T*>(params.input),
                                            static_cast<T*>(params.out)};
      return LaunchElementwise<kVectorBytes / sizeof(T)>(
          op,
          PlanElementwise(params.elements, sizeof(T),
                          Addresses(params.input, params.out)),
          stream);
    });
  });
}

}  // namespace tessera::kernels::cuda

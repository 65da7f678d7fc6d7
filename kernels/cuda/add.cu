#include "kernels/cuda/add.h"
#include "kernels/cuda/elementwise.cuh"

namespace tessera::kernels::cuda {
namespace {

// Adds packs of N elements.
template <typename T>
struct AddOp {
  const T* a;
  const T* b;
  T* out;

  template <int N>
  __device__ void Run(int64_t first) const {
    const auto x = *reinterpret_cast<const Pack<T, N>*>(a + first);
    const auto y = *reinterpret_cast<const Pack<T, N>*>(b + first);
    Pack<T, N> sum;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      sum.v[i] = FromFloat<T>(ToFloat(x.v[i]) + ToFloat(y.v[i]));
    }
    *reinterpret_cast<Pack<T, N>*>(out + first) = sum;
  }
};

}  // namespace

cudaError_t LaunchAdd(const AddParams& params, cudaStream_t stream) {
  return DispatchElement(params.dtype, [&]<typename T>() {
    const AddOp<T> op = {static_cast<const T*>(params.a),
                         static_cast<const T*>(params.b),
                         static_cast<T*>(params.out)};
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(params.elements, sizeof(T),
                        Addresses(params.a, params.b, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda

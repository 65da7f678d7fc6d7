#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/image_bytes.h"

namespace tessera::kernels::cuda {
namespace {

// Converts packs of N elements.
template <typename T>
struct ImageBytesOp {
  const T* input;
  uint8_t* out;

  template <int N>
  __device__ void Run(int64_t first) const {
    const auto x = *reinterpret_cast<const Pack<T, N>*>(input + first);
    Pack<uint8_t, N> bytes;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      // Halving is exact, so fusing it changes nothing; fmaxf drops a NaN.
      const float unit =
          fminf(fmaxf(__fmaf_rn(ToFloat(x.v[i]), 0.5f, 0.5f), 0.0f), 1.0f);
      bytes.v[i] = static_cast<uint8_t>(rintf(__fmul_rn(unit, 255.0f)));
    }
    *reinterpret_cast<Pack<uint8_t, N>*>(out + first) = bytes;
  }
};

}  // namespace

cudaError_t LaunchImageBytes(const ImageBytesParams& params,
                             cudaStream_t stream) {
  return DispatchElement(params.input_dtype, [&]<typename T>() {
    const ImageBytesOp<T> op = {static_cast<const T*>(params.input),
                                params.out};
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(params.elements, sizeof(T),
                        Addresses(params.input, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/geglu.h"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Gates packs of N channels of one row.
template <typename T>
struct GegluOp {
  GegluParams params;
  IndexDivisor channels;

  template <int N>
  __device__ void Run(int64_t first) const {
    // Element i of row r lies at r * 2c + (i - r * c) = i + r * c.
    const T* const value = static_cast<const T*>(params.input) + first +
                           channels.Quotient(first) * params.channels;
    const auto x = *reinterpret_cast<const Pack<T, N>*>(value);
    const auto gate =
        *reinterpret_cast<const Pack<T, N>*>(value + params.channels);
    Pack<T, N> y;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      y.v[i] = FromFloat<T>(ToFloat(x.v[i]) * Gelu(ToFloat(gate.v[i])));
    }
    *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(params.out) + first) = y;
  }
};

}  // namespace

cudaError_t LaunchGeglu(const GegluParams& params, cudaStream_t stream) {
  if (params.rows == 0 || params.channels == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    const GegluOp<T> op = {params, IndexDivisor(params.channels)};
    const uintptr_t pitch = params.channels * sizeof(T);
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(params.rows * params.channels, sizeof(T),
                        pitch | Addresses(params.input, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda

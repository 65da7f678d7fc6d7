#include <cuda_fp8.h>

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/quantize.h"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Rounds packs of N elements, which lie in one row.
template <typename T>
struct QuantizeOp {
  QuantizeParams params;
  IndexDivisor columns;

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t row = columns.Quotient(first);
    const int64_t column = first - row * params.columns;
    const auto x = *reinterpret_cast<const Pack<T, N>*>(
        static_cast<const T*>(params.input) + row * params.pitch + column);
    Pack<uint8_t, N> y;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      y.v[i] = __nv_cvt_float_to_fp8(ToFloat(x.v[i]) * params.inverse_scale,
                                     __NV_SATFINITE, __NV_E4M3);
    }
    *reinterpret_cast<Pack<uint8_t, N>*>(params.out + first) = y;
    if (column == 0) params.row_scales[row] = 1;
  }
};

}  // namespace

cudaError_t LaunchQuantize(const QuantizeParams& params, cudaStream_t stream) {
  if (params.rows == 0 || params.columns == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    const QuantizeOp<T> op = {params, IndexDivisor(params.columns)};
    // A pack may not straddle two rows, of neither matrix.
    const uintptr_t pitches =
        static_cast<uintptr_t>(params.pitch | params.columns) * sizeof(T);
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(params.rows * params.columns, sizeof(T),
                        pitches | Addresses(params.input, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/epilogue.h"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Finishes packs of N columns of one row; the four operands' presence is
// uniform, so its branches cost nothing.
template <typename T, Activation activation>
struct EpilogueOp {
  EpilogueParams params;
  IndexDivisor columns;
  IndexDivisor picture_rows;

  // Adds N elements at `values` to the sums.
  template <int N>
  __device__ static void AddTo(float (&sum)[N], const T* values) {
    const auto x = *reinterpret_cast<const Pack<T, N>*>(values);
#pragma unroll
    for (int i = 0; i < N; ++i) sum[i] += ToFloat(x.v[i]);
  }

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t row = columns.Quotient(first);
    const int64_t column = first - row * params.columns;
    float sum[N] = {};
    AddTo<N>(sum, static_cast<const T*>(params.input) + first);
    if (params.bias != nullptr) {
      AddTo<N>(sum, static_cast<const T*>(params.bias) + column);
    }
    if (params.channel_add != nullptr) {
      AddTo<N>(sum, static_cast<const T*>(params.channel_add) +
                        picture_rows.Quotient(row) * params.columns + column);
    }
#pragma unroll
    for (int i = 0; i < N; ++i) sum[i] = Activated<activation>(sum[i]);
    if (params.residual != nullptr) {
      AddTo<N>(sum, static_cast<const T*>(params.residual) + first);
    }
    Pack<T, N> y;
#pragma unroll
    for (int i = 0; i < N; ++i) y.v[i] = FromFloat<T>(sum[i]);
    *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(params.out) + first) = y;
  }
};

}  // namespace

cudaError_t LaunchEpilogue(const EpilogueParams& params, cudaStream_t stream) {
  if (params.rows == 0 || params.columns == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    return DispatchActivation(params.activation, [&]<Activation activation>() {
      const EpilogueOp<T, activation> op = {params,
                                            IndexDivisor(params.columns),
                                            IndexDivisor(params.picture_rows)};
      // A pack may not straddle two rows: the pitch must be aligned, too.
      const uintptr_t pitch = params.columns * sizeof(T);
      return LaunchElementwise<kVectorBytes / sizeof(T)>(
          op,
          PlanElementwise(
              params.rows * params.columns, sizeof(T),
              pitch | Addresses(params.input, params.bias, params.channel_add,
                                params.residual, params.out)),
          stream);
    });
  });
}

}  // namespace tessera::kernels::cuda

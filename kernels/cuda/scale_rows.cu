#include <algorithm>

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/scale_rows.h"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Scales packs of N elements of one row.
template <typename From, typename To>
struct ScaleOp {
  ScaleRowsParams params;
  IndexDivisor row_elements;

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t index = row_elements.Quotient(first);
    const ScaledRow row = params.rows[index];
    const auto x = *reinterpret_cast<const Pack<From, N>*>(
        static_cast<const From*>(params.x) + row.source * params.row_elements +
        (first - index * params.row_elements));
    Pack<To, N> y;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      y.v[i] = FromFloat<To>(row.scale * ToFloat(x.v[i]));
    }
    *reinterpret_cast<Pack<To, N>*>(static_cast<To*>(params.out) + first) = y;
  }
};

}  // namespace

cudaError_t LaunchScaleRows(const ScaleRowsParams& params,
                            cudaStream_t stream) {
  if (params.out_rows == 0 || params.row_elements == 0) return cudaSuccess;
  return DispatchElement(params.x_dtype, [&]<typename From>() {
    return DispatchElement(params.out_dtype, [&]<typename To>() {
      constexpr int kWidest = std::max(sizeof(From), sizeof(To));
      const ScaleOp<From, To> op = {params, IndexDivisor(params.row_elements)};
      const uintptr_t pitch =
          params.row_elements * std::min(sizeof(From), sizeof(To));
      return LaunchElementwise<kVectorBytes / kWidest>(
          op,
          PlanElementwise(params.out_rows * params.row_elements, kWidest,
                          pitch | Addresses(params.x, params.out)),
          stream);
    });
  });
}

}  // namespace tessera::kernels::cuda

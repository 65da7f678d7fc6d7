#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/sampler_step.h"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Moves packs of N elements of one picture. The intrinsics keep the compiler
// from fusing what the CPU does not fuse.
template <typename T>
struct SamplerStepOp {
  SamplerStepParams params;
  IndexDivisor row_elements;

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t index = row_elements.Quotient(first);
    const int64_t element = first - index * params.row_elements;
    const SamplerRow row = params.rows[index];
    const T* const output = static_cast<const T*>(params.model_output);
    const auto cond = *reinterpret_cast<const Pack<T, N>*>(
        output + row.cond * params.row_elements + element);
    float e[N];
#pragma unroll
    for (int i = 0; i < N; ++i) e[i] = ToFloat(cond.v[i]);
    if (row.uncond >= 0) {
      const auto uncond = *reinterpret_cast<const Pack<T, N>*>(
          output + row.uncond * params.row_elements + element);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const float u = ToFloat(uncond.v[i]);
        e[i] = __fmaf_rn(row.guidance, __fsub_rn(e[i], u), u);
      }
    }
    auto x = *reinterpret_cast<const Pack<float, N>*>(params.x + first);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      x.v[i] = __fmaf_rn(row.model_scale, e[i], __fmul_rn(row.x_scale, x.v[i]));
    }
    if (params.extra != nullptr) {
      const auto extra =
          *reinterpret_cast<const Pack<float, N>*>(params.extra + first);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        x.v[i] = __fmaf_rn(row.extra_scale, extra.v[i], x.v[i]);
      }
    }
    *reinterpret_cast<Pack<float, N>*>(params.out + first) = x;
  }
};

}  // namespace

cudaError_t LaunchSamplerStep(const SamplerStepParams& params,
                              cudaStream_t stream) {
  if (params.row_count == 0 || params.row_elements == 0) return cudaSuccess;
  return DispatchElement(params.model_dtype, [&]<typename T>() {
    const SamplerStepOp<T> op = {params, IndexDivisor(params.row_elements)};
    const uintptr_t pitch = params.row_elements * sizeof(T);
    return LaunchElementwise<kVectorBytes / sizeof(float)>(
        op,
        PlanElementwise(params.row_count * params.row_elements, sizeof(float),
                        pitch | Addresses(params.x, params.model_output,
                                          params.extra, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda

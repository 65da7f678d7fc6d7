#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/timestep_embedding.h"

namespace tessera::kernels::cuda {
namespace {

// Computes both sinusoids of one frequency of one timestep. A few thousand
// numbers a step: accuracy over speed, for the angle may be near 1000.
template <typename T>
struct TimestepEmbeddingOp {
  TimestepEmbeddingParams params;

  template <int N>
  __device__ void Run(int64_t index) const {
    static_assert(N == 1, "one frequency a thread");
    const int64_t half = params.dim / 2;
    const int64_t row = index / half, i = index - row * half;
    constexpr float kLog10000 = 9.210340371976184f;
    const float exponent =
        __fmul_rn(-kLog10000, static_cast<float>(i)) /
        (static_cast<float>(half) - params.downscale_freq_shift);
    const float angle = __fmul_rn(params.timesteps[row], expf(exponent));
    float sine, cosine;
    sincosf(angle, &sine, &cosine);
    T* const out = static_cast<T*>(params.out) + row * params.dim;
    out[params.flip_sin_to_cos ? half + i : i] = FromFloat<T>(sine);
    out[params.flip_sin_to_cos ? i : half + i] = FromFloat<T>(cosine);
  }
};

}  // namespace

cudaError_t LaunchTimestepEmbedding(const TimestepEmbeddingParams& params,
                                    cudaStream_t stream) {
  return DispatchElement(params.out_dtype, [&]<typename T>() {
    const TimestepEmbeddingOp<T> op = {params};
    // An odd address makes packs of one.
    return LaunchElementwise<1>(
        op, PlanElementwise(params.n * (params.dim / 2), sizeof(T), 1), stream);
  });
}

}  // namespace tessera::kernels::cuda

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/philox_noise.h"
#include "kernels/philox.h"

namespace tessera::kernels::cuda {
namespace {

// Makes one number a thread, in double: a picture has a few ten thousand, once.
struct PhiloxNoiseOp {
  PhiloxNoiseParams params;

  template <int N>
  __device__ void Run(int64_t index) const {
    static_assert(N == 1, "one number a thread");
    // The formula of PhiloxNormal, with this device's functions.
    constexpr double kTwoPi = 6.283185307179586476925;
    const PhiloxUniforms uniforms =
        DrawUniforms(params.seed, params.draw, static_cast<uint32_t>(index));
    params.out[index] = static_cast<float>(sqrt(-2.0 * log(uniforms.u)) *
                                           sin(kTwoPi * uniforms.v));
  }
};

}  // namespace

cudaError_t LaunchPhiloxNoise(const PhiloxNoiseParams& params,
                              cudaStream_t stream) {
  if (params.elements > int64_t{1} << 32) return cudaErrorInvalidValue;
  // An odd address makes packs of one.
  return LaunchElementwise<1>(
      PhiloxNoiseOp{params}, PlanElementwise(params.elements, sizeof(float), 1),
      stream);
}

}  // namespace tessera::kernels::cuda

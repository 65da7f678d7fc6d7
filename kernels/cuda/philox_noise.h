// Normal noise of a seed, made where it is used.
#ifndef TESSERA_KERNELS_CUDA_PHILOX_NOISE_H_
#define TESSERA_KERNELS_CUDA_PHILOX_NOISE_H_

#include <cuda_runtime_api.h>

#include <cstdint>

namespace tessera::kernels::cuda {

// One picture's latents' worth of noise.
struct PhiloxNoiseParams {
  uint64_t seed = 0;
  uint32_t draw = 0;     // how many draws of this seed came before
  float* out = nullptr;  // [elements]
  int64_t elements = 0;  // at most 2^32
};

// out[i] = PhiloxNormal(seed, draw, i) of kernels/philox.h. Errors: what the
// launch returns; cudaErrorInvalidValue for too many elements.
cudaError_t LaunchPhiloxNoise(const PhiloxNoiseParams& params,
                              cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_PHILOX_NOISE_H_

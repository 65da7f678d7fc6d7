// The activation functions on the device, in f32.
#ifndef TESSERA_KERNELS_CUDA_ACTIVATION_CUH_
#define TESSERA_KERNELS_CUDA_ACTIVATION_CUH_

#include <cuda_runtime.h>

#include "kernels/ops/activation.h"

namespace tessera::kernels::cuda {

// Returns x / (1 + exp(-scale x)); 0 for x far below 0, where exp overflows.
__device__ inline float Sigmoidal(float x, float scale) {
  return x / (1.0f + __expf(-scale * x));
}

// Returns x * Phi(x) by erf: the exact GELU.
__device__ inline float Gelu(float x) {
  constexpr float kInverseRoot2 = 0.70710678118654752f;
  return 0.5f * x * (1.0f + erff(x * kInverseRoot2));
}

// Returns activation(x).
template <Activation activation>
__device__ inline float Activated(float x) {
  if constexpr (activation == Activation::kSilu) {
    return Sigmoidal(x, 1.0f);
  } else if constexpr (activation == Activation::kQuickGelu) {
    return Sigmoidal(x, 1.702f);
  } else if constexpr (activation == Activation::kGelu) {
    return Gelu(x);
  } else {
    return x;
  }
}

// Calls `body.template operator()<activation>()`, and returns what it returns.
template <typename Body>
cudaError_t DispatchActivation(Activation activation, Body&& body) {
  switch (activation) {
    case Activation::kNone:
      return body.template operator()<Activation::kNone>();
    case Activation::kSilu:
      return body.template operator()<Activation::kSilu>();
    case Activation::kQuickGelu:
      return body.template operator()<Activation::kQuickGelu>();
    case Activation::kGelu:
      return body.template operator()<Activation::kGelu>();
  }
  return cudaErrorInvalidValue;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ACTIVATION_CUH_

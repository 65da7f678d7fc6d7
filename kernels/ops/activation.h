// Activation functions that ops may apply to their result.
#ifndef TESSERA_KERNELS_OPS_ACTIVATION_H_
#define TESSERA_KERNELS_OPS_ACTIVATION_H_

#include <cstdint>

namespace tessera::kernels {

// What an op applies to each element of its result, in f32.
enum class Activation : uint8_t {
  kNone,
  kSilu,       // x / (1 + exp(-x))
  kQuickGelu,  // x / (1 + exp(-1.702 x)), CLIP-L
  kGelu,       // x * Phi(x), the exact form; absolute error below 2e-7
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_ACTIVATION_H_

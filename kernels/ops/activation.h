// Activations that other ops apply to their result.
#ifndef TESSERA_KERNELS_OPS_ACTIVATION_H_
#define TESSERA_KERNELS_OPS_ACTIVATION_H_

namespace tessera::kernels {

// kQuickGelu is x * sigmoid(1.702 x) (CLIP-L); kGelu the exact form with erf.
enum class Activation { kNone, kSilu, kQuickGelu, kGelu };

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_ACTIVATION_H_

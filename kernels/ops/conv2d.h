// Convolutions of 1x1 and 3x3 windows over NHWC pictures.
#ifndef TESSERA_KERNELS_OPS_CONV2D_H_
#define TESSERA_KERNELS_OPS_CONV2D_H_

#include "kernels/ops/activation.h"
#include "kernels/packed_weights.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Conv2d.
struct Conv2dArgs {
  TensorView x;                            // [N, H, W, Cin] f32
  const PackedWeights* weights = nullptr;  // [Cout, Cin, k, k] with bias
  int64_t stride = 1;                      // 1 or 2
  int64_t pad = 0;                         // zeros on every side
  TensorView channel_add;  // [N, Cout] f32 added to every pixel, or empty
  Activation activation = Activation::kNone;
  TensorView residual;  // [N, Ho, Wo, Cout] f32, or empty
  TensorView out;       // [N, Ho, Wo, Cout] f32; Ho = (H + 2 pad - k)/stride+1
};

// Computes out = activation(conv(x) + bias + channel_add) + residual, by the
// indirect method (Dukhan 2019): a pointer for every pixel and tap, no im2col.
//
// One chain of fused multiply-adds an output: taps in row order, channels
// innermost. `out` may alias `residual`. Latches INVALID_ARGUMENT if shapes
// disagree.
void Conv2d(Stream& stream, const Conv2dArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_CONV2D_H_

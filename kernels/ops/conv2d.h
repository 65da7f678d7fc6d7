// Convolution of NHWC pictures, kernels of any size.
#ifndef TESSERA_KERNELS_OPS_CONV2D_H_
#define TESSERA_KERNELS_OPS_CONV2D_H_

#include <cstdint>
#include <optional>

#include "kernels/ops/activation.h"
#include "kernels/packed_weights.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Rows and columns of zeros around the input.
struct Padding {
  int64_t top = 0;
  int64_t left = 0;
  int64_t bottom = 0;
  int64_t right = 0;

  // The same padding on all four sides.
  static constexpr Padding All(int64_t size) {
    return {size, size, size, size};
  }
};

// One convolution and what is added to it while its sums are in registers.
struct Conv2dArgs {
  TensorView input;                       // [n, h, w, cin]
  const PackedWeights& weights;           // from PackConvWeights
  std::optional<TensorView> bias;         // [cout]
  std::optional<TensorView> channel_add;  // [n, cout], the time embedding
  std::optional<TensorView> residual;     // shape of `out`; may be `out`
  int64_t stride = 1;
  Padding padding;
  TensorView out;  // [n, ho, wo, cout]
};

// out = conv(input) + bias + channel_add[image] + residual, where
// ho = (h + top + bottom - kernel_h) / stride + 1 and wo alike. An indirect
// convolution: pixels are read in place, no patch matrix is built. A
// picture's bits do not depend on its neighbours. `out` must not overlap
// `input`. Errors: INVALID_ARGUMENT for shapes that do not fit, for more than
// 65536 channels or 49 taps.
void Conv2d(Stream& stream, const Conv2dArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_CONV2D_H_

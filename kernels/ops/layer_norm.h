// Layer normalisation over the last axis.
#ifndef TESSERA_KERNELS_OPS_LAYER_NORM_H_
#define TESSERA_KERNELS_OPS_LAYER_NORM_H_

#include <cstdint>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The operand and the parameters of a layer norm.
struct LayerNormArgs {
  TensorView input;   // [..., c]
  float eps = 0;      // added to the variance
  TensorView weight;  // f32 [c]
  TensorView bias;    // f32 [c]
  TensorView out;     // shape of `input`; may be `input`
};

// Normalises each row to mean 0 and variance 1, then scales and shifts. Sums
// are sixteen fixed partial sums whatever the vector width. Errors:
// INVALID_ARGUMENT for shapes that do not fit.
void LayerNorm(Stream& stream, const LayerNormArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_LAYER_NORM_H_

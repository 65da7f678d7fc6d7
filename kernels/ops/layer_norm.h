// Layer normalisation.
#ifndef TESSERA_KERNELS_OPS_LAYER_NORM_H_
#define TESSERA_KERNELS_OPS_LAYER_NORM_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of LayerNorm.
struct LayerNormArgs {
  TensorView x;  // [..., C] f32
  float epsilon = 0;
  TensorView gamma;  // [C] f32
  TensorView beta;   // [C] f32
  TensorView out;    // as x; may alias it
};

// Normalises each row over its C columns, then scales and shifts by column.
// Latches INVALID_ARGUMENT if shapes disagree.
void LayerNorm(Stream& stream, const LayerNormArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_LAYER_NORM_H_

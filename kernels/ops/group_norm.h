// Group normalisation, with SiLU where asked.
#ifndef TESSERA_KERNELS_OPS_GROUP_NORM_H_
#define TESSERA_KERNELS_OPS_GROUP_NORM_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of GroupNorm.
struct GroupNormArgs {
  TensorView x;        // [N, ..., C] f32
  int64_t groups = 0;  // divides C
  float epsilon = 0;
  TensorView gamma;   // [C] f32
  TensorView beta;    // [C] f32
  bool silu = false;  // apply x * sigmoid(x) to the result
  TensorView out;     // as x; may alias it
};

// Normalises every group of channels of every picture over its pixels (Wu and
// He 2018), then scales and shifts by channel. Statistics are kept in double
// and never leave their picture. Latches INVALID_ARGUMENT if shapes disagree.
void GroupNorm(Stream& stream, const GroupNormArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_GROUP_NORM_H_

// Group normalisation of NHWC tensors, optionally with SiLU.
#ifndef TESSERA_KERNELS_OPS_GROUP_NORM_H_
#define TESSERA_KERNELS_OPS_GROUP_NORM_H_

#include <cstdint>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The operand and the parameters of a group norm.
struct GroupNormArgs {
  TensorView input;    // [n, ..., c]
  int64_t groups = 0;  // divides c
  float eps = 0;       // added to the variance
  TensorView weight;   // f32 [c]
  TensorView bias;     // f32 [c]
  bool silu = false;   // apply x / (1 + exp(-x)) to the result
  TensorView out;      // shape of `input`; may be `input`
};

// Normalises each group of c / groups channels of each picture to mean 0 and
// variance 1, then scales and shifts by channel. Statistics are summed in
// double precision in one fixed order. Errors: INVALID_ARGUMENT for shapes
// that do not fit or more than 16384 channels.
void GroupNorm(Stream& stream, const GroupNormArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_GROUP_NORM_H_

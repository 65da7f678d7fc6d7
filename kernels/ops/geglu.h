// The gate of the transformer's feed-forward.
#ifndef TESSERA_KERNELS_OPS_GEGLU_H_
#define TESSERA_KERNELS_OPS_GEGLU_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Geglu.
struct GegluArgs {
  TensorView x;    // [M, 2 F] f32: values, then gates
  TensorView out;  // [M, F] f32
};

// Computes out = x[:, :F] * gelu(x[:, F:]) with the exact GELU, as diffusers'
// models/activations.py does. Latches INVALID_ARGUMENT if shapes disagree.
void Geglu(Stream& stream, const GegluArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_GEGLU_H_

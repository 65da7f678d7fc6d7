// Gated GELU: the first half times gelu of the second half.
#ifndef TESSERA_KERNELS_OPS_GEGLU_H_
#define TESSERA_KERNELS_OPS_GEGLU_H_

#include <cstdint>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The operand of a gated GELU, as one projection makes it.
struct GegluArgs {
  TensorView input;  // [..., 2c]: values, then gates
  TensorView out;    // [..., c]
};

// out = value * gelu(gate) with the exact (erf) GELU. `out` must not overlap
// `input`. Errors: INVALID_ARGUMENT for shapes that do not fit.
void Geglu(Stream& stream, const GegluArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_GEGLU_H_

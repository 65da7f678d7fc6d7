// Element by element operations.
#ifndef TESSERA_KERNELS_OPS_ELEMENTWISE_H_
#define TESSERA_KERNELS_OPS_ELEMENTWISE_H_

#include "kernels/ops/activation.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Elementwise.
struct ElementwiseArgs {
  TensorView a;  // f32
  TensorView b;  // as a, or empty: added after the activation
  Activation activation = Activation::kNone;
  TensorView out;  // as a; may alias a or b
};

// Computes out = activation(a) + b. Latches INVALID_ARGUMENT if shapes
// disagree.
void Elementwise(Stream& stream, const ElementwiseArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_ELEMENTWISE_H_

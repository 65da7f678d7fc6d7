// Sums and activations, element by element.
#ifndef TESSERA_KERNELS_OPS_ELEMENTWISE_H_
#define TESSERA_KERNELS_OPS_ELEMENTWISE_H_

#include "kernels/ops/activation.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The operands of a sum.
struct AddArgs {
  TensorView a;    // any shape
  TensorView b;    // shape of `a`
  TensorView out;  // shape of `a`; may be `a` or `b`
};

// out = a + b. Errors: INVALID_ARGUMENT for unlike shapes.
void Add(Stream& stream, const AddArgs& args);

// The operand of an activation.
struct ActivateArgs {
  TensorView input;  // any shape
  Activation activation = Activation::kNone;
  TensorView out;  // shape of `input`; may be `input`
};

// out = activation(input). Errors: INVALID_ARGUMENT for unlike shapes.
void Activate(Stream& stream, const ActivateArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_ELEMENTWISE_H_

#include "kernels/ops/layer_norm.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Refuses rows without columns, whose mean would be 0 / 0.
void LayerNorm(Stream& stream, const LayerNormArgs& args) {
  const Operands is(stream);
  const Shape& in = args.input.shape;
  const bool valid = is.Compute(args.input) && in.rank() > 0 &&
                     is.Compute(args.out, in) && in[-1] > 0 &&
                     is.F32(args.weight, Shape{in[-1]}) &&
                     is.F32(args.bias, Shape{in[-1]});
  if (stream.Admit(Check(valid, "layer_norm", args.input.shape))) {
    stream.ops().layer_norm(stream, args);
  }
}

}  // namespace tessera::kernels

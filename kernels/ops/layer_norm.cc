#include "kernels/ops/layer_norm.h"

#include "kernels/op_table.h"
#include "kernels/ops/shape_check.h"

namespace tessera::kernels {

// Refuses rows without columns, whose mean would be 0 / 0.
void LayerNorm(Stream& stream, const LayerNormArgs& args) {
  const Shape& in = args.input.shape;
  const bool valid =
      IsF32(args.input) && in.rank() > 0 && IsF32(args.out, in) && in[-1] > 0 &&
      IsF32(args.weight, Shape{in[-1]}) && IsF32(args.bias, Shape{in[-1]});
  if (stream.Admit(Check(valid, "layer_norm", args.input.shape))) {
    stream.ops().layer_norm(stream, args);
  }
}

}  // namespace tessera::kernels

#include "kernels/ops/resample.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Takes any output size, larger or smaller, but no empty input, which has no
// nearest pixel.
void ResizeNearest(Stream& stream, const ResizeNearestArgs& args) {
  const Operands is(stream);
  const Shape &in = args.input.shape, &out = args.out.shape;
  const bool valid = is.Compute(args.input) && is.Compute(args.out) &&
                     in.rank() == 4 && out.rank() == 4 && in[0] == out[0] &&
                     in[3] == out[3] && in.elements() > 0;
  if (stream.Admit(Check(valid, "resize_nearest", args.input.shape))) {
    stream.ops().resize_nearest(stream, args);
  }
}

}  // namespace tessera::kernels

#include "kernels/ops/group_norm.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Bounds the channels by a thread's workspace: two doubles and two floats of
// each live there while its picture is normalised.
void GroupNorm(Stream& stream, const GroupNormArgs& args) {
  const Operands is(stream);
  const Shape& in = args.input.shape;
  const bool valid =
      is.Compute(args.input) && in.rank() > 1 && is.Compute(args.out, in) &&
      args.groups > 0 && in[-1] > 0 && in[-1] <= 16384 &&
      in[-1] % args.groups == 0 && is.F32(args.weight, Shape{in[-1]}) &&
      is.F32(args.bias, Shape{in[-1]});
  if (stream.Admit(Check(valid, "group_norm", args.input.shape))) {
    stream.ops().group_norm(stream, args);
  }
}

}  // namespace tessera::kernels

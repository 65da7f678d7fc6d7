#include "kernels/ops/group_norm.h"

#include "kernels/op_table.h"
#include "kernels/ops/shape_check.h"

namespace tessera::kernels {

// Bounds the channels by a thread's workspace: two doubles and two floats of
// each live there while its picture is normalised.
void GroupNorm(Stream& stream, const GroupNormArgs& args) {
  const Shape& in = args.input.shape;
  const bool valid = IsF32(args.input) && in.rank() > 1 &&
                     IsF32(args.out, in) && args.groups > 0 && in[-1] > 0 &&
                     in[-1] <= 16384 && in[-1] % args.groups == 0 &&
                     IsF32(args.weight, Shape{in[-1]}) &&
                     IsF32(args.bias, Shape{in[-1]});
  if (stream.Admit(Check(valid, "group_norm", args.input.shape))) {
    stream.ops().group_norm(stream, args);
  }
}

}  // namespace tessera::kernels

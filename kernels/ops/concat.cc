#include "kernels/ops/concat.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Compares rows, not every extent: the copy only sees a matrix [rows,
// channels].
void ConcatChannels(Stream& stream, const ConcatChannelsArgs& args) {
  const Operands is(stream);
  const Shape &a = args.a.shape, &b = args.b.shape, &out = args.out.shape;
  const bool valid = is.Compute(args.a) && is.Compute(args.b) &&
                     is.Compute(args.out) && a.rank() > 0 && b.rank() > 0 &&
                     out.rank() > 0 && a.rows() == b.rows() &&
                     out.rows() == a.rows() && out[-1] == a[-1] + b[-1];
  if (stream.Admit(Check(valid, "concat_channels", args.a.shape))) {
    stream.ops().concat_channels(stream, args);
  }
}

}  // namespace tessera::kernels

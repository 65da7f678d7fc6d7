#include "kernels/ops/geglu.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Compares rows, not every extent: the op only sees a matrix whose rows hold
// values, then gates.
void Geglu(Stream& stream, const GegluArgs& args) {
  const Operands is(stream);
  const Shape &in = args.input.shape, &out = args.out.shape;
  const bool valid = is.Compute(args.input) && is.Compute(args.out) &&
                     in.rank() > 0 && out.rank() > 0 && in[-1] == 2 * out[-1] &&
                     in.rows() == out.rows();
  if (stream.Admit(Check(valid, "geglu", args.input.shape))) {
    stream.ops().geglu(stream, args);
  }
}

}  // namespace tessera::kernels

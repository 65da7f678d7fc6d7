#include "kernels/ops/elementwise.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Asks for equal shapes: these ops do not broadcast.
void Add(Stream& stream, const AddArgs& args) {
  const Operands is(stream);
  const bool valid = is.Compute(args.a) && is.Compute(args.b, args.a.shape) &&
                     is.Compute(args.out, args.a.shape);
  if (stream.Admit(Check(valid, "add", args.a.shape))) {
    stream.ops().add(stream, args);
  }
}

// Takes kNone as well, which copies.
void Activate(Stream& stream, const ActivateArgs& args) {
  const Operands is(stream);
  const bool valid =
      is.Compute(args.input) && is.Compute(args.out, args.input.shape);
  if (stream.Admit(Check(valid, "activate", args.input.shape))) {
    stream.ops().activate(stream, args);
  }
}

}  // namespace tessera::kernels

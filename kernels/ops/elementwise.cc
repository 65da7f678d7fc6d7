#include "kernels/ops/elementwise.h"

#include "kernels/op_table.h"
#include "kernels/ops/shape_check.h"

namespace tessera::kernels {

// Asks for equal shapes: these ops do not broadcast.
void Add(Stream& stream, const AddArgs& args) {
  const bool valid = IsF32(args.a) && IsF32(args.b, args.a.shape) &&
                     IsF32(args.out, args.a.shape);
  if (stream.Admit(Check(valid, "add", args.a.shape))) {
    stream.ops().add(stream, args);
  }
}

// Takes kNone as well, which copies.
void Activate(Stream& stream, const ActivateArgs& args) {
  const bool valid = IsF32(args.input) && IsF32(args.out, args.input.shape);
  if (stream.Admit(Check(valid, "activate", args.input.shape))) {
    stream.ops().activate(stream, args);
  }
}

}  // namespace tessera::kernels

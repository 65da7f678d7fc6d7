#include "kernels/ops/scale_rows.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Lets sources repeat: with guidance each picture's latents enter the model
// twice, once with each prompt.
void ScaleRows(Stream& stream, const ScaleRowsArgs& args) {
  const Operands is(stream);
  const Shape& x = args.x.shape;
  bool valid = is.F32(args.x) && is.Compute(args.out) &&
               SameEntries(x, args.out.shape) && args.out.shape[0] > 0 &&
               static_cast<int64_t>(args.rows.size()) == args.out.shape[0];
  for (size_t i = 0; valid && i < args.rows.size(); ++i) {
    valid = args.rows[i].source >= 0 && args.rows[i].source < x[0];
  }
  if (stream.Admit(Check(valid, "scale_rows", args.x.shape))) {
    stream.ops().scale_rows(stream, args);
  }
}

}  // namespace tessera::kernels

#include "kernels/ops/sampler_step.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Checks every row's indices, for the rows of one batch may name model outputs
// in any order, and the kernel reads there unchecked.
void SamplerStep(Stream& stream, const SamplerStepArgs& args) {
  const Operands is(stream);
  const Shape& x = args.x.shape;
  bool valid = is.F32(args.x) && is.Compute(args.model_output) &&
               SameEntries(x, args.model_output.shape) && is.F32(args.out, x) &&
               is.F32OrAbsent(args.extra, x) &&
               static_cast<int64_t>(args.rows.size()) == x[0];
  for (size_t i = 0; valid && i < args.rows.size(); ++i) {
    const int64_t outputs = args.model_output.shape[0];
    // Lets any negative `uncond` through: it means no guidance.
    valid = args.rows[i].cond >= 0 && args.rows[i].cond < outputs &&
            args.rows[i].uncond < outputs;
  }
  if (stream.Admit(Check(valid, "sampler_step", args.x.shape))) {
    stream.ops().sampler_step(stream, args);
  }
}

}  // namespace tessera::kernels

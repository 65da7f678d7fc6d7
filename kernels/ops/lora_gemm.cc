#include "kernels/ops/lora_gemm.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Checks each segment on its own, for adapters of different ranks share one
// call.
void LoraGemm(Stream& stream, const LoraGemmArgs& args) {
  const Operands is(stream);
  const Shape &x = args.x.shape, &out = args.out.shape;
  bool valid = is.Compute(args.x) && is.Compute(args.out) && x.rank() > 0 &&
               out.rank() > 0 && x.rows() == out.rows() && args.x_column >= 0 &&
               args.out_column >= 0;
  for (size_t i = 0; valid && i < args.segments.size(); ++i) {
    const LoraSegment& segment = args.segments[i];
    // Bounds the rank by a thread's workspace, which holds x A' for a block of
    // rows.
    valid = segment.up != nullptr && is.Packed(*segment.up) &&
            segment.up->k() <= 1024 && segment.row_begin >= 0 &&
            segment.row_begin <= segment.row_end &&
            segment.row_end <= x.rows() &&
            args.out_column + segment.up->n() <= out[-1];
    if (!valid) break;
    const int64_t lora_rank = segment.up->k();
    // Expects rank columns in x when it already holds x A'.
    const int64_t k = segment.down == nullptr ? lora_rank : segment.down->k();
    valid = args.x_column + k <= x[-1] &&
            (segment.down == nullptr ||
             (segment.down->n() == lora_rank && is.Packed(*segment.down)));
  }
  if (stream.Admit(Check(valid, "lora_gemm", args.x.shape))) {
    stream.ops().lora_gemm(stream, args);
  }
}

}  // namespace tessera::kernels

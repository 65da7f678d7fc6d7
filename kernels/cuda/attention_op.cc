#include "kernels/cuda/attention/attention.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {
namespace {

// Describes the columns of `view` from `column` on.
AttentionOperand Operand(const TensorView& view, int64_t column) {
  return {.data = view.data, .pitch = view.shape[2], .column = column};
}

}  // namespace

// Uses the kernels that every device since sm_80 runs.
void Attention(Stream& stream, const AttentionArgs& args) {
  Backend& backend = Backend::Of(stream);
  const AttentionParams params{.q = Operand(args.q, args.q_column),
                               .k = Operand(args.k, args.k_column),
                               .v = Operand(args.v, args.v_column),
                               .out = args.out.data,
                               .n = args.q.shape[0],
                               .queries = args.q.shape[1],
                               .keys = args.k.shape[1],
                               .heads = args.heads,
                               .head_dim = args.head_dim,
                               .scale = args.scale,
                               .causal = args.causal,
                               .dtype = args.out.dtype};
  backend.Report(
      stream, LaunchAttention(params, AttentionVariant::kMma, backend.queue()),
      "attention", args.q.shape);
}

}  // namespace tessera::kernels::cuda

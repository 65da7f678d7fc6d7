#include <array>
#include <cstddef>

#include "kernels/cuda/attention/attention.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/cast.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {
namespace {

// Describes the columns of `view` from `column` on.
AttentionOperand Operand(const TensorView& view, int64_t column) {
  return {.data = view.data, .pitch = view.shape[2], .column = column};
}

// Queues the kernel, of those that every device since sm_80 runs.
void Launch(Stream& stream, const AttentionArgs& args) {
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

// Queues a conversion between two tensors of one shape.
void Cast(Stream& stream, const TensorView& from, const TensorView& to) {
  Backend& backend = Backend::Of(stream);
  backend.Report(stream,
                 LaunchCast({.input = from.data,
                             .input_dtype = from.dtype,
                             .out = to.data,
                             .out_dtype = to.dtype,
                             .elements = from.shape.elements()},
                            backend.queue()),
                 "cast for attention", from.shape);
}

// Attends by bf16 copies of f32 operands, for no kernel multiplies f32: the
// range is that of f32, for the sake of which a net computes in it, and sums
// are in f32 as always.
void AttendWide(Stream& stream, const AttentionArgs& args) {
  AttentionArgs narrow = args;
  const std::array<TensorView*, 4> operands = {&narrow.q, &narrow.k, &narrow.v,
                                               &narrow.out};
  int64_t bytes = 0;
  for (const TensorView* operand : operands) {
    bytes += Memory::RoundUp(operand->shape.elements() * SizeOf(DType::kBF16));
  }
  const absl::StatusOr<void*> workspace = Backend::Of(stream).Workspace(bytes);
  if (!workspace.ok()) return stream.Fail(workspace.status());
  auto* place = static_cast<std::byte*>(*workspace);
  for (size_t i = 0; i < operands.size(); ++i) {
    const TensorView wide = *operands[i];
    // Converts what holds queries, keys and values side by side once.
    const bool seen = i > 0 && i < 3 && wide.data == args.q.data;
    if (seen) {
      *operands[i] = narrow.q;
      continue;
    }
    *operands[i] = {place, DType::kBF16, wide.shape, wide.place};
    place += Memory::RoundUp(operands[i]->bytes());
    if (operands[i] != &narrow.out) Cast(stream, wide, *operands[i]);
  }
  Launch(stream, narrow);
  Cast(stream, narrow.out, args.out);
}

}  // namespace

void Attention(Stream& stream, const AttentionArgs& args) {
  if (args.out.dtype == DType::kF32) return AttendWide(stream, args);
  Launch(stream, args);
}

}  // namespace tessera::kernels::cuda

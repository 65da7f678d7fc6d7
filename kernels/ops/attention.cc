#include "kernels/ops/attention.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Bounds head_dim so that a task's packed keys and values fit a thread's
// workspace, and asks for a key, for softmax over none is 0 / 0.
void Attention(Stream& stream, const AttentionArgs& args) {
  const Operands is(stream);
  const Shape &q = args.q.shape, &k = args.k.shape, &v = args.v.shape;
  const int64_t width = args.heads * args.head_dim;
  const bool valid =
      is.Compute(args.q) && is.Compute(args.k) && is.Compute(args.v) &&
      q.rank() == 3 && k.rank() == 3 && v.rank() == 3 && args.heads > 0 &&
      args.head_dim > 0 && args.head_dim <= 1024 && k[0] == q[0] &&
      v[0] == q[0] && k[1] == v[1] && k[1] > 0 && args.q_column >= 0 &&
      args.q_column + width <= q[2] && args.k_column >= 0 &&
      args.k_column + width <= k[2] && args.v_column >= 0 &&
      args.v_column + width <= v[2] && (!args.causal || q[1] == k[1]) &&
      is.Compute(args.out, Shape{q[0], q[1], width});
  if (stream.Admit(Check(valid, "attention", args.q.shape))) {
    stream.ops().attention(stream, args);
  }
}

}  // namespace tessera::kernels

#include "kernels/ops/gemm.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

namespace {

// Bounds k by a thread's workspace, where the matmul loop that gemm shares with
// convolution keeps a row of k zeros.
constexpr int64_t kMaxInputs = 65536;

}  // namespace

// Refuses a convolution's weights, whose k runs over taps, and asks of the
// residual only as many elements as `out` has, for both are read as a matrix
// [rows, n].
void Gemm(Stream& stream, const GemmArgs& args) {
  const Operands is(stream);
  const PackedWeights& weights = args.weights;
  const bool valid =
      is.Compute(args.a) && is.Compute(args.out) && args.a.shape.rank() > 0 &&
      args.out.shape.rank() > 0 && weights.n() > 0 && is.Packed(weights) &&
      weights.k() <= kMaxInputs && weights.kernel_h() == 1 &&
      weights.kernel_w() == 1 && args.a_column >= 0 &&
      args.a_column + weights.k() <= args.a.shape[-1] &&
      args.out.shape[-1] == weights.n() &&
      args.a.shape.rows() == args.out.shape.rows() &&
      is.ComputeOrAbsent(args.bias, Shape{weights.n()}) &&
      (!args.residual.has_value() ||
       (is.Compute(*args.residual) &&
        args.residual->shape.elements() == args.out.shape.elements()));
  if (stream.Admit(Check(valid, "gemm", args.a.shape))) {
    stream.ops().gemm(stream, args);
  }
}

}  // namespace tessera::kernels

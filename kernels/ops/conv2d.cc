#include "kernels/ops/conv2d.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Checks in two steps, for the output's extents make sense only once the ranks,
// the kernel and the stride do.
void Conv2d(Stream& stream, const Conv2dArgs& args) {
  const Operands is(stream);
  const PackedWeights& weights = args.weights;
  const Shape &in = args.input.shape, &out = args.out.shape;
  const Padding& pad = args.padding;
  bool valid =
      is.Compute(args.input) && in.rank() == 4 && out.rank() == 4 &&
      weights.n() > 0 && is.Packed(weights) &&
      in[3] == weights.input_channels() && in[3] <= 65536 &&
      // Bounds channels and taps by a thread's workspace: the row of zeros and
      // the pointers to every (tap, pixel) of a block lie there.
      weights.kernel_h() * weights.kernel_w() <= 49 && args.stride >= 1 &&
      pad.top >= 0 && pad.left >= 0 && pad.bottom >= 0 && pad.right >= 0;
  if (valid) {
    // Counts the steps a window can take down and to the right; a negative
    // count means that the padded picture is smaller than the window.
    const int64_t rows = in[1] + pad.top + pad.bottom - weights.kernel_h();
    const int64_t columns = in[2] + pad.left + pad.right - weights.kernel_w();
    valid =
        rows >= 0 && columns >= 0 &&
        is.Compute(args.out, Shape{in[0], rows / args.stride + 1,
                                   columns / args.stride + 1, weights.n()}) &&
        is.ComputeOrAbsent(args.bias, Shape{weights.n()}) &&
        is.ComputeOrAbsent(args.channel_add, Shape{in[0], weights.n()}) &&
        is.ComputeOrAbsent(args.residual, out);
  }
  if (stream.Admit(Check(valid, "conv2d", args.input.shape))) {
    stream.ops().conv2d(stream, args);
  }
}

}  // namespace tessera::kernels

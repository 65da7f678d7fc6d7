#include "kernels/ops/copy.h"

#include "kernels/device.h"
#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {
namespace {

// Whether a view lies where the stream's device can copy from or to.
bool IsReachable(const Stream& stream, const TensorView& view) {
  return view.place == Place::kHost || stream.device().has_own_memory();
}

}  // namespace

// Compares elements, not shapes: bytes keep their order.
void Copy(Stream& stream, const CopyArgs& args) {
  const DType from = args.source.dtype, to = args.out.dtype;
  const bool valid =
      args.source.shape.elements() == args.out.shape.elements() &&
      (from == to || (IsFloat(from) && IsFloat(to))) &&
      IsReachable(stream, args.source) && IsReachable(stream, args.out);
  if (stream.Admit(Check(valid, "copy", args.source.shape))) {
    stream.ops().copy(stream, args);
  }
}

}  // namespace tessera::kernels

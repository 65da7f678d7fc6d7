#include "kernels/ops/image_bytes.h"

#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Takes any shape: bytes keep the order of the floats, NHWC for pictures.
void ImageBytes(Stream& stream, const ImageBytesArgs& args) {
  const Operands is(stream);
  const bool valid = is.Compute(args.input) && is.Is(args.out, DType::kU8) &&
                     args.out.shape == args.input.shape;
  if (stream.Admit(Check(valid, "image_bytes", args.input.shape))) {
    stream.ops().image_bytes(stream, args);
  }
}

}  // namespace tessera::kernels

#include "kernels/ops/image_bytes.h"

#include "kernels/op_table.h"
#include "kernels/ops/shape_check.h"

namespace tessera::kernels {

// Takes any shape: bytes keep the order of the floats, NHWC for pictures.
void ImageBytes(Stream& stream, const ImageBytesArgs& args) {
  const bool valid = IsF32(args.input) && args.out.dtype == DType::kU8 &&
                     args.out.shape == args.input.shape;
  if (stream.Admit(Check(valid, "image_bytes", args.input.shape))) {
    stream.ops().image_bytes(stream, args);
  }
}

}  // namespace tessera::kernels

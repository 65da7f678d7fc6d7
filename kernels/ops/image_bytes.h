// Pictures of floats in [-1, 1] to bytes.
#ifndef TESSERA_KERNELS_OPS_IMAGE_BYTES_H_
#define TESSERA_KERNELS_OPS_IMAGE_BYTES_H_

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The picture and the bytes it becomes.
struct ImageBytesArgs {
  TensorView input;  // any shape
  TensorView out;    // u8, same shape
};

// out = round(255 * clamp(x / 2 + 0.5, 0, 1)), halves to even; NaN becomes 0.
// Errors: INVALID_ARGUMENT for shapes or types that do not fit.
void ImageBytes(Stream& stream, const ImageBytesArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_IMAGE_BYTES_H_

// From the decoder's floats to bytes.
#ifndef TESSERA_KERNELS_OPS_IMAGE_BYTES_H_
#define TESSERA_KERNELS_OPS_IMAGE_BYTES_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of ImageBytes.
struct ImageBytesArgs {
  TensorView x;    // [...] f32, nominally -1 to 1
  TensorView out;  // as x, u8
};

// Computes round(clamp(x / 2 + 0.5, 0, 1) * 255), halves to even, as diffusers'
// image_processor.py does.
void ImageBytes(Stream& stream, const ImageBytesArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_IMAGE_BYTES_H_

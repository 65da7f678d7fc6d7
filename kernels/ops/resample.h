// Nearest-neighbour resize of NHWC pictures.
#ifndef TESSERA_KERNELS_OPS_RESAMPLE_H_
#define TESSERA_KERNELS_OPS_RESAMPLE_H_

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The picture and its copy of another size.
struct ResizeNearestArgs {
  TensorView input;  // [n, h, w, c]
  TensorView out;    // [n, out_h, out_w, c], any size
};

// out[y, x] = input[y * h / out_h, x * w / out_w], rounded down: doubling
// repeats each pixel four times. Errors: INVALID_ARGUMENT for shapes that do
// not fit.
void ResizeNearest(Stream& stream, const ResizeNearestArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_RESAMPLE_H_

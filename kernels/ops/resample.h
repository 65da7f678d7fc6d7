// Nearest-neighbour enlargement.
#ifndef TESSERA_KERNELS_OPS_RESAMPLE_H_
#define TESSERA_KERNELS_OPS_RESAMPLE_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Upsample.
struct UpsampleArgs {
  TensorView x;    // [N, H, W, C] f32
  TensorView out;  // [N, H2, W2, C] f32, H2 >= H, W2 >= W
};

// Copies the nearest pixel: out[n, y, x] = in[n, y·H/H2, x·W/W2] rounded down,
// as torch.nn.functional.interpolate(mode="nearest").
void Upsample(Stream& stream, const UpsampleArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_RESAMPLE_H_

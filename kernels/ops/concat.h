// Joining channels.
#ifndef TESSERA_KERNELS_OPS_CONCAT_H_
#define TESSERA_KERNELS_OPS_CONCAT_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of Concat.
struct ConcatArgs {
  TensorView a;    // [..., Ca] f32
  TensorView b;    // [..., Cb] f32
  TensorView out;  // [..., Ca + Cb] f32
};

// Puts the channels of `b` behind those of `a`.
void Concat(Stream& stream, const ConcatArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_CONCAT_H_

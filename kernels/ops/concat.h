// Concatenation of channels.
#ifndef TESSERA_KERNELS_OPS_CONCAT_H_
#define TESSERA_KERNELS_OPS_CONCAT_H_

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The operands of a concatenation; pictures are NHWC, so channels are last.
struct ConcatChannelsArgs {
  TensorView a;    // [..., ca]
  TensorView b;    // [..., cb], the same other extents
  TensorView out;  // [..., ca + cb]
};

// out = a's channels, then b's. Errors: INVALID_ARGUMENT for shapes that do
// not fit.
void ConcatChannels(Stream& stream, const ConcatChannelsArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_CONCAT_H_

// Copies a tensor across the border between host and device, or on one side.
#ifndef TESSERA_KERNELS_OPS_COPY_H_
#define TESSERA_KERNELS_OPS_COPY_H_

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The operands of a copy, each on the host or with the stream's device.
struct CopyArgs {
  TensorView source;
  TensorView out;  // as many elements; must not overlap `source`
};

// out = source. Between two of f32, f16 and bf16 each element is rounded to the
// nearest, ties to even; other types must be equal. A source on the host may be
// changed once this returns; a result on the host is there after
// Stream::Synchronize, until when it must stay. Errors: INVALID_ARGUMENT for
// sizes or types that do not fit.
void Copy(Stream& stream, const CopyArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_COPY_H_

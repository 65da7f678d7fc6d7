#include "kernels/convert.h"
#include "kernels/cpu/op_table.h"

namespace tessera::kernels::cpu {

// Copies on the calling thread: what crosses the border is small, and the rest
// are rows of a few kilobytes.
void Copy(Stream&, const CopyArgs& args) {
  ConvertElements(args.source.data, args.source.dtype, args.out.data,
                  args.out.dtype, 0, args.source.shape.elements());
}

}  // namespace tessera::kernels::cpu

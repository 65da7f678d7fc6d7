#include "kernels/cuda/backend.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {

void Copy(Stream& stream, const CopyArgs& args) {
  const absl::Status status = Backend::Of(stream).Copy(args.source, args.out);
  if (!status.ok()) stream.Fail(status);
}

}  // namespace tessera::kernels::cuda

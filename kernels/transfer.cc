#include "kernels/transfer.h"

#include <utility>

#include "common/status_macros.h"
#include "kernels/ops/copy.h"

namespace tessera::kernels {

absl::StatusOr<Tensor> ToDevice(Device& device, Tensor host, DType dtype) {
  if (!device.has_own_memory() && host.dtype() == dtype) return host;
  ASSIGN_OR_RETURN(Tensor there, Tensor::Create(device, host.shape(), dtype));
  Stream stream(device);
  Copy(stream, {.source = host.view(), .out = there.view()});
  RETURN_IF_ERROR(stream.Synchronize());
  return there;
}

absl::StatusOr<Tensor> ToHost(Device& device, const TensorView& tensor) {
  Tensor here(tensor.shape, DType::kF32);
  Stream stream(device);
  Copy(stream, {.source = tensor, .out = here.view()});
  RETURN_IF_ERROR(stream.Synchronize());
  return here;
}

}  // namespace tessera::kernels

#include <cstddef>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {

void Gemm(Stream& stream, const GemmArgs& args) {
  Backend& backend = Backend::Of(stream);
  const absl::StatusOr<void*> workspace =
      backend.Workspace(kGemmWorkspaceBytes);
  if (!workspace.ok()) return stream.Fail(workspace.status());
  const auto* const a = static_cast<const std::byte*>(args.a.data);
  const GemmParams params{
      .a = a + args.a_column * SizeOf(args.a.dtype),
      .a_pitch = args.a.shape[-1],
      .weights = args.weights.data().data,
      .bias = args.bias.has_value() ? args.bias->f32() : nullptr,
      .activation = args.activation,
      .residual = args.residual.has_value() ? args.residual->data : nullptr,
      .out = args.out.data,
      .m = args.a.shape.rows(),
      .n = args.weights.n(),
      .k = args.weights.k(),
      .dtype = args.out.dtype,
      .workspace = *workspace};
  const absl::Status status = backend.gemms().Run(params, backend.queue());
  if (!status.ok()) stream.Fail(status);
}

}  // namespace tessera::kernels::cuda

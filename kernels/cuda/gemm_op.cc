#include <cstddef>
#include <cstdint>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/op_table.h"
#include "kernels/cuda/quantize.h"
#include "kernels/fp8_matrix.h"

namespace tessera::kernels::cuda {
namespace {

// What the library asks of the extents of 8-bit products.
constexpr int64_t kFp8Multiple = 16;

// Describes the product; pointers of `a` and weights are those of the args.
GemmParams Params(const GemmArgs& args, void* workspace) {
  const auto* const a = static_cast<const std::byte*>(args.a.data);
  return {.a = a + args.a_column * SizeOf(args.a.dtype),
          .a_pitch = args.a.shape[-1],
          .weights = args.weights.data().data,
          .bias = args.bias.has_value() ? args.bias->data : nullptr,
          .activation = args.activation,
          .residual = args.residual.has_value() ? args.residual->data : nullptr,
          .out = args.out.data,
          .m = args.a.shape.rows(),
          .n = args.weights.n(),
          .k = args.weights.k(),
          .dtype = args.out.dtype,
          .workspace = workspace};
}

// Returns the weights in 8 bits where the layer has them and the device
// multiplies them; null: it does not.
const Fp8Matrix* Fp8Of(const Backend& backend, const GemmArgs& args) {
  const PackedWeights& weights = args.weights;
  if (weights.fp8() == nullptr || !backend.multiplies_fp8()) return nullptr;
  const bool fits =
      weights.n() % kFp8Multiple == 0 && weights.k() % kFp8Multiple == 0;
  return fits ? weights.fp8() : nullptr;
}

// Rounds the inputs to 8 bits, in the workspace, and multiplies those.
void GemmFp8(Stream& stream, const GemmArgs& args, const Fp8Matrix& fp8) {
  Backend& backend = Backend::Of(stream);
  const int64_t m = args.a.shape.rows(), k = args.weights.k();
  const int64_t input_bytes = Memory::RoundUp(m * k);
  const absl::StatusOr<void*> workspace =
      backend.Workspace(kGemmWorkspaceBytes + input_bytes +
                        m * static_cast<int64_t>(sizeof(float)));
  if (!workspace.ok()) return stream.Fail(workspace.status());
  std::byte* const inputs =
      static_cast<std::byte*>(*workspace) + kGemmWorkspaceBytes;
  auto* const scales = reinterpret_cast<float*>(inputs + input_bytes);
  GemmParams params = Params(args, *workspace);
  backend.Report(stream,
                 LaunchQuantize({.input = params.a,
                                 .pitch = params.a_pitch,
                                 .out = reinterpret_cast<uint8_t*>(inputs),
                                 .row_scales = scales,
                                 .rows = m,
                                 .columns = k,
                                 .inverse_scale = 1 / fp8.input_scale,
                                 .dtype = args.a.dtype},
                                backend.queue()),
                 "quantize", args.a.shape);
  params.a = inputs;
  params.a_pitch = k;
  params.weights = fp8.values.view().data;
  params.a_scales = scales;
  params.weight_scales = static_cast<const float*>(fp8.scales.view().data);
  const absl::Status status = backend.gemms().Run(params, backend.queue());
  if (!status.ok()) stream.Fail(status);
}

}  // namespace

void Gemm(Stream& stream, const GemmArgs& args) {
  Backend& backend = Backend::Of(stream);
  if (const Fp8Matrix* const fp8 = Fp8Of(backend, args)) {
    return GemmFp8(stream, args, *fp8);
  }
  const absl::StatusOr<void*> workspace =
      backend.Workspace(kGemmWorkspaceBytes);
  if (!workspace.ok()) return stream.Fail(workspace.status());
  const absl::Status status =
      backend.gemms().Run(Params(args, *workspace), backend.queue());
  if (!status.ok()) stream.Fail(status);
}

}  // namespace tessera::kernels::cuda

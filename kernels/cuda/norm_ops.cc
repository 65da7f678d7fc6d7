// Normalisations.
#include "kernels/cuda/backend.h"
#include "kernels/cuda/group_norm.h"
#include "kernels/cuda/layer_norm.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {

// Takes everything between pictures and channels as pixels.
void GroupNorm(Stream& stream, const GroupNormArgs& args) {
  Backend& backend = Backend::Of(stream);
  const Shape& in = args.input.shape;
  const int64_t n = in[0], channels = in[-1];
  // Has nothing to do for no pictures or no pixels.
  if (in.elements() == 0) return;
  const int64_t pixels = in.elements() / (n * channels);
  const GroupNormPlan plan =
      PlanGroupNorm(pixels, channels, args.groups,
                    static_cast<int>(SizeOf(args.input.dtype)));
  const absl::StatusOr<void*> workspace =
      backend.Workspace(n * plan.picture_bytes);
  if (!workspace.ok()) return stream.Fail(workspace.status());
  const GroupNormParams params{.input = args.input.data,
                               .weight = args.weight.f32(),
                               .bias = args.bias.f32(),
                               .out = args.out.data,
                               .workspace = *workspace,
                               .n = n,
                               .pixels = pixels,
                               .channels = channels,
                               .groups = args.groups,
                               .eps = args.eps,
                               .silu = args.silu,
                               .dtype = args.input.dtype};
  backend.Report(stream, LaunchGroupNorm(params, backend.queue()), "group_norm",
                 in);
}

void LayerNorm(Stream& stream, const LayerNormArgs& args) {
  Backend& backend = Backend::Of(stream);
  const Shape& in = args.input.shape;
  const LayerNormParams params{.input = args.input.data,
                               .weight = args.weight.f32(),
                               .bias = args.bias.f32(),
                               .out = args.out.data,
                               .rows = in.rows(),
                               .channels = in[-1],
                               .eps = args.eps,
                               .dtype = args.input.dtype};
  backend.Report(stream, LaunchLayerNorm(params, backend.queue()), "layer_norm",
                 in);
}

}  // namespace tessera::kernels::cuda

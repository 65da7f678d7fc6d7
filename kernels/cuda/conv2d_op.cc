#include <cstddef>
#include <optional>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/conv2d.h"
#include "kernels/cuda/epilogue.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {
namespace {

// Describes the layer and the size of its pictures.
Conv2dKey Layer(const Conv2dArgs& args) {
  const Shape& in = args.input.shape;
  return {.height = in[1],
          .width = in[2],
          .input_channels = in[3],
          .output_channels = args.weights.n(),
          .kernel_height = args.weights.kernel_h(),
          .kernel_width = args.weights.kernel_w(),
          .stride = args.stride,
          .top = args.padding.top,
          .left = args.padding.left,
          .bottom = args.padding.bottom,
          .right = args.padding.right,
          .dtype = args.out.dtype};
}

// Returns the address of an operand, or null.
const void* DataOf(const std::optional<TensorView>& view) {
  return view.has_value() ? view->data : nullptr;
}

// Adds everything in a pass of its own after a product in `product`.
EpilogueParams Epilogue(const Conv2dArgs& args, const void* product) {
  const Shape& out = args.out.shape;
  return {.input = product,
          .bias = DataOf(args.bias),
          .channel_add = DataOf(args.channel_add),
          .residual = DataOf(args.residual),
          .out = args.out.data,
          .rows = out.rows(),
          .columns = out[3],
          .picture_rows = out[1] * out[2],
          .dtype = args.out.dtype};
}

}  // namespace

// Convolves beside `out` where the residual lies there, which the library would
// overwrite before it is added.
void Conv2d(Stream& stream, const Conv2dArgs& args) {
  if (args.out.shape.elements() == 0) return;
  Backend& backend = Backend::Of(stream);
  const bool in_place =
      args.residual.has_value() && args.residual->data == args.out.data;
  const absl::StatusOr<void*> workspace = backend.Workspace(
      kConv2dWorkspaceBytes + (in_place ? args.out.bytes() : 0));
  if (!workspace.ok()) return stream.Fail(workspace.status());
  Conv2dParams params{.input = args.input.data,
                      .weights = args.weights.data().data,
                      .n = args.input.shape[0],
                      .layer = Layer(args),
                      .workspace = *workspace};
  if (in_place) {
    params.out = static_cast<std::byte*>(*workspace) + kConv2dWorkspaceBytes;
  } else {
    params.bias = DataOf(args.bias);
    params.channel_add = DataOf(args.channel_add);
    params.residual = DataOf(args.residual);
    params.out = args.out.data;
  }
  const absl::Status status =
      backend.convolutions().Run(params, backend.queue());
  if (!status.ok()) return stream.Fail(status);
  if (!in_place) return;
  backend.Report(stream,
                 LaunchEpilogue(Epilogue(args, params.out), backend.queue()),
                 "conv2d epilogue", args.out.shape);
}

}  // namespace tessera::kernels::cuda

// Ops that see elements, rows of channels or pixels, and keep no sums.
#include "kernels/cuda/activate.h"
#include "kernels/cuda/add.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/concat_channels.h"
#include "kernels/cuda/geglu.h"
#include "kernels/cuda/image_bytes.h"
#include "kernels/cuda/op_table.h"
#include "kernels/cuda/resize_nearest.h"

namespace tessera::kernels::cuda {

void Add(Stream& stream, const AddArgs& args) {
  Backend& backend = Backend::Of(stream);
  const AddParams params{.a = args.a.data,
                         .b = args.b.data,
                         .out = args.out.data,
                         .elements = args.out.shape.elements(),
                         .dtype = args.out.dtype};
  backend.Report(stream, LaunchAdd(params, backend.queue()), "add",
                 args.out.shape);
}

void Activate(Stream& stream, const ActivateArgs& args) {
  Backend& backend = Backend::Of(stream);
  const ActivateParams params{.input = args.input.data,
                              .activation = args.activation,
                              .out = args.out.data,
                              .elements = args.out.shape.elements(),
                              .dtype = args.out.dtype};
  backend.Report(stream, LaunchActivate(params, backend.queue()), "activate",
                 args.out.shape);
}

void ConcatChannels(Stream& stream, const ConcatChannelsArgs& args) {
  Backend& backend = Backend::Of(stream);
  const ConcatChannelsParams params{.a = args.a.data,
                                    .b = args.b.data,
                                    .out = args.out.data,
                                    .rows = args.out.shape.rows(),
                                    .a_channels = args.a.shape[-1],
                                    .b_channels = args.b.shape[-1],
                                    .dtype = args.out.dtype};
  backend.Report(stream, LaunchConcatChannels(params, backend.queue()),
                 "concat_channels", args.out.shape);
}

void Geglu(Stream& stream, const GegluArgs& args) {
  Backend& backend = Backend::Of(stream);
  const GegluParams params{.input = args.input.data,
                           .out = args.out.data,
                           .rows = args.out.shape.rows(),
                           .channels = args.out.shape[-1],
                           .dtype = args.out.dtype};
  backend.Report(stream, LaunchGeglu(params, backend.queue()), "geglu",
                 args.input.shape);
}

void ImageBytes(Stream& stream, const ImageBytesArgs& args) {
  Backend& backend = Backend::Of(stream);
  const ImageBytesParams params{.input = args.input.data,
                                .input_dtype = args.input.dtype,
                                .out = args.out.u8(),
                                .elements = args.out.shape.elements()};
  backend.Report(stream, LaunchImageBytes(params, backend.queue()),
                 "image_bytes", args.input.shape);
}

void ResizeNearest(Stream& stream, const ResizeNearestArgs& args) {
  Backend& backend = Backend::Of(stream);
  const Shape &in = args.input.shape, &out = args.out.shape;
  const ResizeNearestParams params{.input = args.input.data,
                                   .out = args.out.data,
                                   .n = in[0],
                                   .height = in[1],
                                   .width = in[2],
                                   .channels = in[3],
                                   .out_height = out[1],
                                   .out_width = out[2],
                                   .dtype = args.out.dtype};
  backend.Report(stream, LaunchResizeNearest(params, backend.queue()),
                 "resize_nearest", in);
}

}  // namespace tessera::kernels::cuda

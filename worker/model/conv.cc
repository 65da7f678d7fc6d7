#include "worker/model/conv.h"

#include "common/status_macros.h"
#include "kernels/ops/conv2d.h"
#include "kernels/ops/lora_gemm.h"
#include "worker/model/adapter_rows.h"

namespace tessera::model {

using kernels::LoraSegment;
using kernels::PackedWeights;
using kernels::Padding;
using kernels::Scratch;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

absl::StatusOr<Conv2d> Conv2d::Load(const LayerSource& source,
                                    const ConvSpec& spec) {
  // Reads [outputs, inputs, kernel, kernel], torch's order; packing turns it to
  // the order of NHWC pixels.
  ASSIGN_OR_RETURN(const Tensor weight,
                   source.reader.Read(spec.name + ".weight",
                                      Shape{spec.outputs, spec.inputs,
                                            spec.kernel, spec.kernel}));
  Conv2d conv;
  ASSIGN_OR_RETURN(
      conv.bias_, source.reader.Read(spec.name + ".bias", Shape{spec.outputs}));
  ASSIGN_OR_RETURN(conv.weights_,
                   kernels::PackConvWeights(source.device, weight.view()));
  conv.stride_ = spec.stride;
  conv.layer_ =
      source.table.Add({spec.name, spec.outputs, spec.inputs, spec.kernel});
  return conv;
}

void Conv2d::Forward(const Pass& pass, const TensorView& x,
                     const TensorView& out, const ConvExtras& extras) const {
  // Computes all but the adapters, which come on top of the sum with the
  // residual: addition alone, so the order changes the last bits at most, and
  // is fixed.
  kernels::Conv2d(pass.stream,
                  {.input = x,
                   .weights = weights_,
                   .bias = bias_.view(),
                   .channel_add = extras.channel_add,
                   .residual = extras.residual,
                   .stride = stride_,
                   .padding = Padding::All(weights_.kernel_h() / 2),
                   .out = out});
  if (pass.adapters != nullptr && pass.adapters->Has(layer_)) {
    AddAdapters(pass, x, out);
  }
}

// Adds adapters, one segment after the other: a low-rank convolution is a
// convolution to `rank` channels, then a map of each pixel.
void Conv2d::AddAdapters(const Pass& pass, const TensorView& x,
                         const TensorView& out) const {
  const Shape& shape = out.shape;
  // Copies the segment, for it is turned into one of the small product below.
  for (LoraSegment segment : pass.adapters->For(layer_, shape[0])) {
    const int64_t images = segment.row_end - segment.row_begin;
    const PackedWeights& down = *segment.down;
    const Scratch low =
        pass.Allocate(Shape{images, shape[1], shape[2], down.n()});
    kernels::Conv2d(pass.stream,
                    {.input = x.Slice(segment.row_begin, segment.row_end),
                     .weights = down,
                     .stride = stride_,
                     .padding = Padding::All(down.kernel_h() / 2),
                     // Gives the down projection the layer's own stride and
                     // padding, so that its pixels are those of `out`.
                     .out = low.view()});
    const TensorView part = out.Slice(segment.row_begin, segment.row_end);
    // Counts pixels from here on: x holds x A' for this segment's images alone.
    segment.row_begin = 0;
    segment.row_end = images * shape[1] * shape[2];
    segment.down = nullptr;
    kernels::LoraGemm(
        pass.stream, {.x = low.view(), .segments = {&segment, 1}, .out = part});
  }
}

}  // namespace tessera::model

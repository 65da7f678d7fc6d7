#include "worker/model/conv.h"

#include <memory>
#include <utility>

#include "common/status_macros.h"
#include "kernels/ops/conv2d.h"
#include "kernels/ops/lora_gemm.h"
#include "kernels/transfer.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/merged_layers.h"

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
  ASSIGN_OR_RETURN(Tensor bias, source.reader.Read(spec.name + ".bias",
                                                   Shape{spec.outputs}));
  ASSIGN_OR_RETURN(bias, kernels::ToDevice(source.device, std::move(bias),
                                           source.device.compute_dtype()));
  ASSIGN_OR_RETURN(PackedWeights matrix,
                   kernels::PackConvWeights(source.device, weight.view()));
  conv.weights_.matrix =
      std::make_shared<const PackedWeights>(std::move(matrix));
  conv.weights_.bias = std::make_shared<const Tensor>(std::move(bias));
  conv.stride_ = spec.stride;
  conv.slot_ = source.table.AddWeights(conv.weights_);
  conv.layer_ = source.table.Add({.name = spec.name,
                                  .outputs = spec.outputs,
                                  .inputs = spec.inputs,
                                  .kernel = spec.kernel,
                                  .slot = conv.slot_});
  return conv;
}

void Conv2d::Forward(const Pass& pass, const TensorView& x,
                     const TensorView& out, const ConvExtras& extras) const {
  const WeightsInPass weights(pass, slot_, weights_);
  kernels::Conv2d(pass.stream,
                  {.input = x,
                   .weights = weights.matrix(),
                   .bias = weights.bias()->view(),
                   .channel_add = extras.channel_add,
                   .residual = extras.residual,
                   .stride = stride_,
                   .padding = Padding::All(weights.matrix().kernel_h() / 2),
                   .out = out});
  // Adds adapters on top of the sum with the residual, in one fixed order.
  if (pass.adapters != nullptr && pass.adapters->Has(layer_)) {
    AddAdapters(pass, x, out);
  }
}

// A low-rank convolution is a convolution to `rank` channels, then a map of
// each pixel.
void Conv2d::AddAdapters(const Pass& pass, const TensorView& x,
                         const TensorView& out) const {
  const Shape& shape = out.shape;
  for (LoraSegment segment : pass.adapters->For(layer_, shape[0])) {
    // Counts images here and pixels below: x holds x A' for these images alone.
    const int64_t images = segment.row_end - segment.row_begin;
    const PackedWeights& down = *segment.down;
    const Scratch low =
        pass.Allocate(Shape{images, shape[1], shape[2], down.n()});
    kernels::Conv2d(pass.stream,
                    {.input = x.Slice(segment.row_begin, segment.row_end),
                     .weights = down,
                     .stride = stride_,
                     .padding = Padding::All(down.kernel_h() / 2),
                     .out = low.view()});
    const TensorView part = out.Slice(segment.row_begin, segment.row_end);
    segment.row_begin = 0;
    segment.row_end = images * shape[1] * shape[2];
    segment.down = nullptr;
    kernels::LoraGemm(
        pass.stream, {.x = low.view(), .segments = {&segment, 1}, .out = part});
  }
}

}  // namespace tessera::model

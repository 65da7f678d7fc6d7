#include "worker/model/resnet_block.h"

#include "common/status_macros.h"

namespace tessera::model {

using kernels::Scratch;
using kernels::Shape;
using kernels::TensorView;

// Reads in the order of the forward pass; the order also numbers the layers.
absl::StatusOr<ResnetBlock> ResnetBlock::Load(const LayerSource& source,
                                              const ResnetSpec& spec) {
  ResnetBlock block;
  ASSIGN_OR_RETURN(block.norm1_,
                   GroupNorm::Load(source, spec.name + ".norm1", spec.inputs,
                                   spec.groups, spec.epsilon));
  // Changes the channels here; the second convolution keeps them.
  ASSIGN_OR_RETURN(block.conv1_,
                   Conv2d::Load(source, {.name = spec.name + ".conv1",
                                         .inputs = spec.inputs,
                                         .outputs = spec.outputs}));
  // Reads the time projection; the VAE's blocks have none.
  if (spec.time_channels > 0) {
    ASSIGN_OR_RETURN(
        block.time_,
        Linear::Load(source, {.names = {spec.name + ".time_emb_proj"},
                              .inputs = spec.time_channels,
                              .outputs = spec.outputs}));
  }
  ASSIGN_OR_RETURN(block.norm2_,
                   GroupNorm::Load(source, spec.name + ".norm2", spec.outputs,
                                   spec.groups, spec.epsilon));
  ASSIGN_OR_RETURN(block.conv2_,
                   Conv2d::Load(source, {.name = spec.name + ".conv2",
                                         .inputs = spec.outputs,
                                         .outputs = spec.outputs}));
  // Reads a 1x1 convolution as a linear layer over pixels, and only where
  // diffusers has one: where the channels change.
  if (spec.inputs != spec.outputs) {
    ASSIGN_OR_RETURN(
        block.shortcut_,
        Linear::Load(source, {.names = {spec.name + ".conv_shortcut"},
                              .inputs = spec.inputs,
                              .outputs = spec.outputs,
                              .as_conv = true}));
  }
  return block;
}

void ResnetBlock::Forward(const Pass& pass, const TensorView& x,
                          const TensorView& time, const TensorView& out) const {
  // Holds the result of the first half; the second norm works in place.
  const Scratch hidden = pass.Allocate(out.shape);
  ConvIn(pass, x, time, hidden.view());
  norm2_.Forward(pass, hidden.view(), hidden.view(), /*silu=*/true);
  if (shortcut_.has_value()) {
    // Puts the shortcut into `out` first, so that the second convolution adds
    // it while its sums are in registers.
    shortcut_->Forward(pass, x, out, {});
    conv2_.Forward(pass, hidden.view(), out, {.residual = out});
  } else {
    conv2_.Forward(pass, hidden.view(), out, {.residual = x});
  }
}

// Frees its scratch on return, before the second norm.
void ResnetBlock::ConvIn(const Pass& pass, const TensorView& x,
                         const TensorView& time, const TensorView& out) const {
  const Scratch normed = pass.Allocate(x.shape);
  norm1_.Forward(pass, x, normed.view(), /*silu=*/true);
  if (!time_.has_value()) {
    conv1_.Forward(pass, normed.view(), out, {});
    return;
  }
  // Broadcasts one vector [outputs] a row over all pixels.
  const Scratch shift = pass.Allocate(Shape{out.shape[0], outputs()});
  time_->Forward(pass, time, shift.view(), {});
  conv1_.Forward(pass, normed.view(), out, {.channel_add = shift.view()});
}

}  // namespace tessera::model

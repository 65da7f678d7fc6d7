#include "worker/model/vae_decoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/ops/resample.h"
#include "worker/model/attention.h"

namespace tessera::model {
namespace {

using kernels::Scratch;
using kernels::Shape;
using kernels::TensorView;

// diffusers' autoencoders/vae.py, in every norm.
constexpr float kEpsilon = 1e-6f;

}  // namespace

// Expects the names that diffusers writes today, or those of its first
// versions, which published VAEs still have and diffusers renames while it
// loads (modeling_utils.py, _convert_deprecated_attention_blocks).
absl::StatusOr<VaeAttention> VaeAttention::Load(const LayerSource& source,
                                                const std::string& name,
                                                int64_t channels,
                                                int64_t groups) {
  VaeAttention attention;
  const bool old = source.reader.Has(name + ".query.weight");
  const std::vector<std::string> qkv =
      old ? std::vector<std::string>{name + ".query", name + ".key",
                                     name + ".value"}
          : std::vector<std::string>{name + ".to_q", name + ".to_k",
                                     name + ".to_v"};
  ASSIGN_OR_RETURN(attention.norm, GroupNorm::Load(source, name + ".group_norm",
                                                   channels, groups, kEpsilon));
  // Reads q, k and v as one gemm; unlike the UNet's they have a bias.
  ASSIGN_OR_RETURN(attention.qkv, Linear::Load(source, {.names = qkv,
                                                        .inputs = channels,
                                                        .outputs = channels}));
  const std::string out = name + (old ? ".proj_attn" : ".to_out.0");
  ASSIGN_OR_RETURN(attention.out, Linear::Load(source, {.names = {out},
                                                        .inputs = channels,
                                                        .outputs = channels}));
  return attention;
}

void VaeAttention::Forward(const Pass& pass, const TensorView& x) const {
  // Sees pixels as tokens, without a copy.
  const Shape rows{x.shape[0], x.shape[1] * x.shape[2], x.shape[3]};
  const TensorView h = x.Reshaped(rows);
  const Scratch normed = pass.Allocate(rows);
  norm.Forward(pass, h, normed.view(), /*silu=*/false);
  // Holds q, k and v side by side: [N, H W, 3 C].
  const Scratch wide = pass.Allocate(Shape{rows[0], rows[1], 3 * rows[2]});
  qkv.Forward(pass, normed.view(), wide.view(), {});
  // Attends with one head over all pixels; normed is read by now and reused.
  SelfAttention(pass, wide.view(), /*heads=*/1, /*causal=*/false,
                normed.view());
  out.Forward(pass, normed.view(), h, {.residual = h});
}

// Loads up block `index`, counted from the deepest, with one resnet more than
// the config's layers, as diffusers' decoder has; `inputs` are the channels of
// the block before.
absl::StatusOr<VaeDecoder::UpBlock> VaeDecoder::LoadUpBlock(
    const LayerSource& source, const VaeConfig& config, size_t index,
    int64_t inputs) {
  const size_t blocks = config.block_out_channels.size();
  // Mirrors the encoder, in whose order the config lists the channels.
  const int64_t outputs = config.block_out_channels[blocks - 1 - index];
  const std::string name = absl::StrCat("decoder.up_blocks.", index);
  UpBlock block;
  for (int64_t i = 0; i < config.layers_per_block + 1; ++i) {
    ASSIGN_OR_RETURN(
        ResnetBlock resnet,
        ResnetBlock::Load(source, {.name = absl::StrCat(name, ".resnets.", i),
                                   .inputs = i == 0 ? inputs : outputs,
                                   .outputs = outputs,
                                   .groups = config.norm_num_groups,
                                   .epsilon = kEpsilon}));
    block.resnets.push_back(std::move(resnet));
  }
  // Enlarges behind every block but the last.
  if (index + 1 < blocks) {
    ASSIGN_OR_RETURN(block.upsampler,
                     Conv2d::Load(source, {.name = name + ".upsamplers.0.conv",
                                           .inputs = outputs,
                                           .outputs = outputs}));
  }
  return block;
}

// Reads the decoder's half alone: "encoder" and "quant_conv" stay unread.
absl::StatusOr<VaeDecoder> VaeDecoder::Load(const WeightReader& reader,
                                            kernels::Device& device,
                                            const VaeConfig& config) {
  LayerTable table;  // no adapter names a layer of the VAE
  const LayerSource source{reader, device, table};
  VaeDecoder vae;
  // Reads a 1x1 convolution as a linear layer over pixels.
  if (config.use_post_quant_conv) {
    ASSIGN_OR_RETURN(vae.post_quant_conv_,
                     Linear::Load(source, {.names = {"post_quant_conv"},
                                           .inputs = config.latent_channels,
                                           .outputs = config.latent_channels,
                                           .as_conv = true}));
  }
  const int64_t deepest = config.block_out_channels.back();
  ASSIGN_OR_RETURN(vae.conv_in_,
                   Conv2d::Load(source, {.name = "decoder.conv_in",
                                         .inputs = config.latent_channels,
                                         .outputs = deepest}));
  // Reads a resnet of the middle block, which has the deepest block's channels.
  const auto mid = [&](const char* name) {
    return ResnetBlock::Load(source, {.name = name,
                                      .inputs = deepest,
                                      .outputs = deepest,
                                      .groups = config.norm_num_groups,
                                      .epsilon = kEpsilon});
  };
  ASSIGN_OR_RETURN(vae.mid_first_, mid("decoder.mid_block.resnets.0"));
  if (config.mid_block_add_attention) {
    ASSIGN_OR_RETURN(
        vae.mid_attention_,
        VaeAttention::Load(source, "decoder.mid_block.attentions.0", deepest,
                           config.norm_num_groups));
  }
  ASSIGN_OR_RETURN(vae.mid_last_, mid("decoder.mid_block.resnets.1"));
  // Hands the channels on from block to block.
  int64_t channels = deepest;
  for (size_t i = 0; i < config.block_out_channels.size(); ++i) {
    ASSIGN_OR_RETURN(UpBlock block, LoadUpBlock(source, config, i, channels));
    channels = block.resnets.back().outputs();
    // Counts what scale() is made of.
    vae.num_upsamplers_ += block.upsampler.has_value() ? 1 : 0;
    vae.up_blocks_.push_back(std::move(block));
  }
  ASSIGN_OR_RETURN(vae.norm_out_,
                   GroupNorm::Load(source, "decoder.conv_norm_out", channels,
                                   config.norm_num_groups, kEpsilon));
  ASSIGN_OR_RETURN(vae.conv_out_,
                   Conv2d::Load(source, {.name = "decoder.conv_out",
                                         .inputs = channels,
                                         .outputs = config.out_channels}));
  return vae;
}

// Allocates the output before it lets go of the input: both live during the op.
void VaeDecoder::Apply(const Pass& pass, const ResnetBlock& resnet,
                       Scratch& x) {
  const Shape shape = x.view().shape;
  Scratch out =
      pass.Allocate(Shape{shape[0], shape[1], shape[2], resnet.outputs()});
  resnet.Forward(pass, x.view(), /*time=*/TensorView(), out.view());
  x = std::move(out);
}

// Doubles with nearest neighbours, then convolves (diffusers' Upsample2D).
void VaeDecoder::Enlarge(const Pass& pass, const Conv2d& conv, Scratch& x) {
  const Shape small = x.view().shape;
  const Shape shape{small[0], 2 * small[1], 2 * small[2], small[3]};
  const Scratch enlarged = pass.Allocate(shape);
  kernels::ResizeNearest(pass.stream,
                         {.input = x.view(), .out = enlarged.view()});
  x = pass.Allocate(shape);
  conv.Forward(pass, enlarged.view(), x.view(), {});
}

void VaeDecoder::Forward(const Pass& pass, const TensorView& latents,
                         const TensorView& out) const {
  const Shape& shape = latents.shape;
  // Carries the picture through the decoder; each step replaces it.
  Scratch x =
      pass.Allocate(Shape{shape[0], shape[1], shape[2], conv_in_.outputs()});
  if (post_quant_conv_.has_value()) {
    const Scratch mapped = pass.Allocate(shape);
    post_quant_conv_->Forward(pass, latents, mapped.view(), {});
    conv_in_.Forward(pass, mapped.view(), x.view(), {});
  } else {
    conv_in_.Forward(pass, latents, x.view(), {});
  }
  Apply(pass, mid_first_, x);
  if (mid_attention_.has_value()) mid_attention_->Forward(pass, x.view());
  Apply(pass, mid_last_, x);
  // Goes from the deepest block to the picture, which doubles on the way.
  for (const UpBlock& block : up_blocks_) {
    for (const ResnetBlock& resnet : block.resnets) Apply(pass, resnet, x);
    if (block.upsampler.has_value()) Enlarge(pass, *block.upsampler, x);
  }
  // Normalises in place; conv_out writes to the caller's tensor.
  norm_out_.Forward(pass, x.view(), x.view(), /*silu=*/true);
  conv_out_.Forward(pass, x.view(), out, {});
}

}  // namespace tessera::model

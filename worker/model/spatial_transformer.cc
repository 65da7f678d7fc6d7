#include "worker/model/spatial_transformer.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/ops/geglu.h"
#include "worker/model/attention.h"

namespace tessera::model {

using kernels::Scratch;
using kernels::Shape;
using kernels::TensorView;

namespace {

// diffusers' transformer_2d.py, whatever the UNet's own norm_eps.
constexpr float kGroupNormEpsilon = 1e-6f;
// The default of torch.nn.LayerNorm, which BasicTransformerBlock uses.
constexpr float kLayerNormEpsilon = 1e-5f;
// The feed-forward's width in channels (diffusers' FeedForward, mult).
constexpr int64_t kFeedForwardMultiple = 4;

}  // namespace

absl::StatusOr<TransformerLayer> TransformerLayer::Load(
    const LayerSource& source, const std::string& name,
    const TransformerSpec& spec) {
  const int64_t c = spec.channels;
  const int64_t feed = kFeedForwardMultiple * c;
  // Names layers relative to this one; attention's q, k and v have no bias.
  const auto linear = [&](std::vector<std::string> parts, int64_t inputs,
                          int64_t outputs, bool bias) {
    for (std::string& part : parts) part = absl::StrCat(name, ".", part);
    return Linear::Load(source, {.names = std::move(parts),
                                 .inputs = inputs,
                                 .outputs = outputs,
                                 .bias = bias});
  };
  const auto norm = [&](const char* part) {
    return LayerNorm::Load(source, absl::StrCat(name, ".", part), c,
                           kLayerNormEpsilon);
  };
  TransformerLayer layer;
  layer.heads = spec.heads;
  ASSIGN_OR_RETURN(layer.norm1, norm("norm1"));
  // Keeps the checkpoint's names, by which adapters find the layers.
  ASSIGN_OR_RETURN(layer.self_qkv,
                   linear({"attn1.to_q", "attn1.to_k", "attn1.to_v"}, c, c,
                          /*bias=*/false));
  ASSIGN_OR_RETURN(layer.self_out, linear({"attn1.to_out.0"}, c, c, true));
  ASSIGN_OR_RETURN(layer.norm2, norm("norm2"));
  ASSIGN_OR_RETURN(layer.cross_q, linear({"attn2.to_q"}, c, c, false));
  // Runs once a prompt, in PromptCache, and not in Forward.
  ASSIGN_OR_RETURN(layer.cross_kv, linear({"attn2.to_k", "attn2.to_v"},
                                          spec.context, c, false));
  ASSIGN_OR_RETURN(layer.cross_out, linear({"attn2.to_out.0"}, c, c, true));
  ASSIGN_OR_RETURN(layer.norm3, norm("norm3"));
  // Reads values and gates as one layer of twice the width (diffusers' GEGLU).
  ASSIGN_OR_RETURN(layer.feed_in, linear({"ff.net.0.proj"}, c, 2 * feed, true));
  ASSIGN_OR_RETURN(layer.feed_out, linear({"ff.net.2"}, feed, c, true));
  return layer;
}

void TransformerLayer::Forward(const Pass& pass, TextKeys keys,
                               const TensorView& h) const {
  const int64_t n = h.shape[0];
  const int64_t s = h.shape[1];
  const int64_t c = h.shape[2];
  // Lives through all three parts, one after the other.
  const Scratch normed = pass.Allocate(h.shape);
  // Holds what attention returns until a projection has added it to h.
  const Scratch attended = pass.Allocate(h.shape);

  norm1.Forward(pass, h, normed.view());
  // Frees q, k and v before the next part asks for memory.
  {
    const Scratch qkv = pass.Allocate(Shape{n, s, 3 * c});
    self_qkv.Forward(pass, normed.view(), qkv.view(), {});
    SelfAttention(pass, qkv.view(), heads, /*causal=*/false, attended.view());
  }
  self_out.Forward(pass, attended.view(), h, {.residual = h});

  norm2.Forward(pass, h, normed.view());
  {
    const Scratch q = pass.Allocate(h.shape);
    cross_q.Forward(pass, normed.view(), q.view(), {});
    // Takes the rows of this call: keys are laid out for the largest batch.
    CrossAttention(pass, q.view(),
                   keys[static_cast<size_t>(cross_index)].Slice(0, n), heads,
                   attended.view());
  }
  cross_out.Forward(pass, attended.view(), h, {.residual = h});

  norm3.Forward(pass, h, normed.view());
  // Takes the gated width from the weights, four times the channels.
  const int64_t feed = feed_out.inputs();
  // Holds the gated half; the wide input is freed first.
  const Scratch gated = pass.Allocate(Shape{n * s, feed});
  {
    const Scratch wide = pass.Allocate(Shape{n * s, 2 * feed});
    feed_in.Forward(pass, normed.view(), wide.view(), {});
    kernels::Geglu(pass.stream, {.input = wide.view(), .out = gated.view()});
  }
  feed_out.Forward(pass, gated.view(), h, {.residual = h});
}

// Refuses heads that do not divide the channels, which no weight's shape shows.
absl::StatusOr<SpatialTransformer> SpatialTransformer::Load(
    const LayerSource& source, const TransformerSpec& spec) {
  if (spec.heads < 1 || spec.channels % spec.heads != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("attention heads do not divide the channels: ", spec.name,
                     ": ", spec.heads, " heads, ", spec.channels, " channels"));
  }
  // Reads proj_in and proj_out, stored as 1x1 convolutions by SD 1.x and as
  // linear layers by SD 2.x.
  const auto projection = [&](const char* part) {
    return Linear::Load(source, {.names = {absl::StrCat(spec.name, ".", part)},
                                 .inputs = spec.channels,
                                 .outputs = spec.channels,
                                 .as_conv = !spec.linear_projection});
  };
  SpatialTransformer transformer;
  ASSIGN_OR_RETURN(transformer.norm_,
                   GroupNorm::Load(source, spec.name + ".norm", spec.channels,
                                   spec.groups, kGroupNormEpsilon));
  ASSIGN_OR_RETURN(transformer.proj_in_, projection("proj_in"));
  // Stacks `depth` layers, each with self- and cross-attention of its own.
  for (int64_t i = 0; i < spec.depth; ++i) {
    ASSIGN_OR_RETURN(
        TransformerLayer layer,
        TransformerLayer::Load(
            source, absl::StrCat(spec.name, ".transformer_blocks.", i), spec));
    transformer.layers_.push_back(std::move(layer));
  }
  ASSIGN_OR_RETURN(transformer.proj_out_, projection("proj_out"));
  return transformer;
}

void SpatialTransformer::Forward(const Pass& pass, const TensorView& x,
                                 TextKeys keys, const TensorView& out) const {
  const Shape& shape = x.shape;
  // Sees pixels as tokens: NHWC needs no transposition.
  const Scratch h =
      pass.Allocate(Shape{shape[0], shape[1] * shape[2], shape[3]});
  {
    const Scratch normed = pass.Allocate(shape);
    norm_.Forward(pass, x, normed.view(), /*silu=*/false);
    proj_in_.Forward(pass, normed.view(), h.view(), {});
  }
  for (const TransformerLayer& layer : layers_)
    layer.Forward(pass, keys, h.view());
  // Adds the block's input, at the picture's own shape.
  proj_out_.Forward(pass, h.view(), out, {.residual = x});
}

}  // namespace tessera::model

#include "worker/model/clip_text_encoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/embedding.h"
#include "kernels/transfer.h"
#include "worker/model/attention.h"

namespace tessera::model {
namespace {

using kernels::Scratch;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// What published checkpoints put before every name, and newer exporters do not.
constexpr char kPrefix[] = "text_model.";

}  // namespace

absl::StatusOr<ClipLayer> ClipLayer::Load(const LayerSource& source,
                                          const std::string& name,
                                          const TextEncoderConfig& config) {
  const int64_t c = config.hidden_size;
  // Names layers relative to this one; `inputs` and `outputs` are of each part.
  const auto linear = [&](std::vector<std::string> parts, int64_t inputs,
                          int64_t outputs) {
    for (std::string& part : parts) part = absl::StrCat(name, ".", part);
    return Linear::Load(
        source,
        {.names = std::move(parts), .inputs = inputs, .outputs = outputs});
  };
  const auto norm = [&](const char* part) {
    return LayerNorm::Load(source, absl::StrCat(name, ".", part), c,
                           config.layer_norm_eps);
  };
  ClipLayer layer;
  ASSIGN_OR_RETURN(layer.norm1, norm("layer_norm1"));
  // Reads q, k and v as one gemm, whose output SelfAttention takes as it is.
  ASSIGN_OR_RETURN(layer.qkv, linear({"self_attn.q_proj", "self_attn.k_proj",
                                      "self_attn.v_proj"},
                                     c, c));
  ASSIGN_OR_RETURN(layer.out, linear({"self_attn.out_proj"}, c, c));
  ASSIGN_OR_RETURN(layer.norm2, norm("layer_norm2"));
  ASSIGN_OR_RETURN(layer.fc1, linear({"mlp.fc1"}, c, config.intermediate_size));
  ASSIGN_OR_RETURN(layer.fc2, linear({"mlp.fc2"}, config.intermediate_size, c));
  return layer;
}

void ClipLayer::Forward(const Pass& pass, int64_t heads,
                        kernels::Activation activation,
                        const TensorView& h) const {
  const Shape& shape = h.shape;
  // Holds the input of each part in turn, and between them what attention
  // returns.
  const Scratch normed = pass.Allocate(shape);
  norm1.Forward(pass, h, normed.view());
  // Frees the wide tensor before the perceptron asks for its own.
  {
    const Scratch wide = pass.Allocate(Shape{shape[0], shape[1], 3 * shape[2]});
    qkv.Forward(pass, normed.view(), wide.view(), {});
    // Overwrites the norm's output, which the projection has read by now.
    SelfAttention(pass, wide.view(), heads, /*causal=*/true, normed.view());
  }
  out.Forward(pass, normed.view(), h, {.residual = h});
  norm2.Forward(pass, h, normed.view());
  // Flattens tokens: the perceptron sees rows, whatever the prompt.
  const Scratch hidden =
      pass.Allocate(Shape{shape[0] * shape[1], fc1.outputs()});
  fc1.Forward(pass, normed.view(), hidden.view(), {.activation = activation});
  fc2.Forward(pass, hidden.view(), h, {.residual = h});
}

absl::StatusOr<ClipTextEncoder> ClipTextEncoder::Load(
    const WeightReader& reader, kernels::Device& device,
    const TextEncoderConfig& config) {
  ClipTextEncoder encoder;
  // Numbers layers in the encoder's own table; layers keep numbers, not
  // pointers, so the encoder may move.
  const LayerSource source{reader, device, encoder.table_};
  // Decides on the prefix once, by a tensor that every encoder has.
  const std::string prefix =
      source.reader.Has(absl::StrCat(kPrefix, "final_layer_norm.weight"))
          ? kPrefix
          : "";
  ASSIGN_OR_RETURN(
      Tensor tokens,
      source.reader.Read(prefix + "embeddings.token_embedding.weight",
                         Shape{config.vocab_size, config.hidden_size}));
  ASSIGN_OR_RETURN(
      Tensor positions,
      source.reader.Read(
          prefix + "embeddings.position_embedding.weight",
          Shape{config.max_position_embeddings, config.hidden_size}));
  const kernels::DType dtype = device.compute_dtype();
  ASSIGN_OR_RETURN(encoder.tokens_,
                   kernels::ToDevice(device, std::move(tokens), dtype));
  ASSIGN_OR_RETURN(encoder.positions_,
                   kernels::ToDevice(device, std::move(positions), dtype));
  // Runs as many layers as the config has: SD 2 models are saved without the
  // one that they skip.
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    ASSIGN_OR_RETURN(
        ClipLayer layer,
        ClipLayer::Load(source, absl::StrCat(prefix, "encoder.layers.", i),
                        config));
    encoder.layers_.push_back(std::move(layer));
  }
  // Ends the encoder of Stable Diffusion 1 and 2; XL pools behind it.
  ASSIGN_OR_RETURN(encoder.final_norm_,
                   LayerNorm::Load(source, prefix + "final_layer_norm",
                                   config.hidden_size, config.layer_norm_eps));
  // Has neither a bias nor the prefix.
  if (config.projection_dim > 0) {
    ASSIGN_OR_RETURN(encoder.projection_,
                     Linear::Load(source, {.names = {"text_projection"},
                                           .inputs = config.hidden_size,
                                           .outputs = config.projection_dim,
                                           .bias = false}));
  }
  encoder.eos_token_id_ = config.eos_token_id;
  // Is checked to divide hidden_size where the config is read.
  encoder.heads_ = config.num_attention_heads;
  encoder.activation_ = config.hidden_act;
  return encoder;
}

void ClipTextEncoder::RunLayers(const Pass& pass, const TensorView& ids,
                                size_t count, const TensorView& out) const {
  // Adds learned positions to the tokens' rows; `out` then carries the hidden
  // states [N, T, C] through the layers.
  kernels::TokenEmbedding(pass.stream, {.ids = ids,
                                        .table = tokens_.view(),
                                        .positions = positions_.view(),
                                        .out = out});
  for (size_t i = 0; i < count; ++i) {
    layers_[i].Forward(pass, heads_, activation_, out);
  }
}

void ClipTextEncoder::Forward(const Pass& pass, const TensorView& ids,
                              const TensorView& out) const {
  RunLayers(pass, ids, layers_.size(), out);
  // Normalises in place what the last layer left.
  final_norm_.Forward(pass, out, out);
}

void ClipTextEncoder::ForwardPenultimate(const Pass& pass,
                                         const TensorView& ids,
                                         const TensorView& out) const {
  RunLayers(pass, ids, layers_.size() - 1, out);
}

// Runs the last layer on a copy: the penultimate states are a result, too.
void ClipTextEncoder::Pool(const Pass& pass, const TensorView& penultimate,
                           int64_t token, const TensorView& out) const {
  CHECK(projection_.has_value());
  const Scratch last = pass.Allocate(penultimate.shape);
  kernels::Copy(pass.stream, {.source = penultimate, .out = last.view()});
  layers_.back().Forward(pass, heads_, activation_, last.view());
  // Normalises the pooled row alone: the norm sees one row at a time.
  const TensorView row = last.view()
                             .Reshaped(Shape{penultimate.shape[1], width()})
                             .Slice(token, token + 1);
  const Scratch normed = pass.Allocate(row.shape);
  final_norm_.Forward(pass, row, normed.view());
  projection_->Forward(pass, normed.view(), out, {});
}

// Takes the first of equals, as torch's argmax does; a prompt without its end
// is pooled at its start.
int64_t ClipTextEncoder::PooledToken(std::span<const int32_t> ids) const {
  if (eos_token_id_ == TextEncoderConfig::kLargestId) {
    return std::max_element(ids.begin(), ids.end()) - ids.begin();
  }
  const auto end = std::find(ids.begin(), ids.end(), eos_token_id_);
  return end == ids.end() ? 0 : end - ids.begin();
}

}  // namespace tessera::model

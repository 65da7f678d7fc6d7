// Transformer layers over the pixels of a picture.
#ifndef TESSERA_WORKER_MODEL_SPATIAL_TRANSFORMER_H_
#define TESSERA_WORKER_MODEL_SPATIAL_TRANSFORMER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/linear.h"
#include "worker/model/norm.h"

namespace tessera::model {

// The keys and values that cross-attention reads, made once per prompt: one
// tensor a cross-attention in the order of loading, [>= N, T, 2 C] f32, keys
// then values of row n's prompt.
using TextKeys = std::span<const kernels::TensorView>;

// The name and shape of a stack of transformer layers.
struct TransformerSpec {
  std::string name;
  int64_t channels = 0;
  int64_t heads = 0;
  int64_t context = 0;  // channels of the text embeddings
  int64_t depth = 1;
  int64_t groups = 32;
  bool linear_projection = false;  // proj_in and proj_out are stored as linear
};

// One layer: self-attention, cross-attention and GEGLU feed-forward, each
// behind a LayerNorm and added to its input (diffusers' BasicTransformerBlock).
struct TransformerLayer {
  LayerNorm norm1;
  Linear self_qkv;  // to_q, to_k and to_v as one gemm
  Linear self_out;
  LayerNorm norm2;
  Linear cross_q;
  Linear cross_kv;  // to_k and to_v of the text as one gemm
  Linear cross_out;
  LayerNorm norm3;
  Linear feed_in;  // values and gates
  Linear feed_out;
  int64_t heads = 0;
  int cross_index = 0;  // place in TextKeys

  static absl::StatusOr<TransformerLayer> Load(const LayerSource& source,
                                               const std::string& name,
                                               const TransformerSpec& spec);
  // Updates h [N, S, C] in place.
  void Forward(const Pass& pass, TextKeys keys,
               const kernels::TensorView& h) const;
};

// Group norm, projection in, `depth` layers, projection out, residual
// (diffusers' Transformer2DModel). Immutable once loaded; thread-safe.
class SpatialTransformer {
 public:
  // Errors as of WeightReader; INVALID_ARGUMENT when the heads do not divide
  // the channels.
  static absl::StatusOr<SpatialTransformer> Load(const LayerSource& source,
                                                 const TransformerSpec& spec);

  // Computes x [N, H, W, channels] into out of the same shape.
  void Forward(const Pass& pass, const kernels::TensorView& x, TextKeys keys,
               const kernels::TensorView& out) const;

  const std::vector<TransformerLayer>& layers() const { return layers_; }
  // For the UNet, which numbers the cross-attentions.
  std::vector<TransformerLayer>& mutable_layers() { return layers_; }

 private:
  GroupNorm norm_;
  Linear proj_in_;
  std::vector<TransformerLayer> layers_;
  Linear proj_out_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_SPATIAL_TRANSFORMER_H_

// The text encoders of Stable Diffusion.
#ifndef TESSERA_WORKER_MODEL_CLIP_TEXT_ENCODER_H_
#define TESSERA_WORKER_MODEL_CLIP_TEXT_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/ops/activation.h"
#include "kernels/tensor.h"
#include "worker/model/layer_source.h"
#include "worker/model/layer_table.h"
#include "worker/model/linear.h"
#include "worker/model/norm.h"
#include "worker/model/pass.h"
#include "worker/model/text_encoder_config.h"

namespace tessera::model {

// One layer: causal self-attention and a two-layer perceptron, each behind a
// LayerNorm and added to its input.
struct ClipLayer {
  LayerNorm norm1;
  // q_proj, k_proj and v_proj as one gemm.
  Linear qkv;
  Linear out;
  LayerNorm norm2;
  Linear fc1;
  Linear fc2;

  static absl::StatusOr<ClipLayer> Load(const LayerSource& source,
                                        const std::string& name,
                                        const TextEncoderConfig& config);
  // Updates h [N, T, C] in place.
  void Forward(const Pass& pass, int64_t heads, kernels::Activation activation,
               const kernels::TensorView& h) const;
};

// CLIPTextModel (Radford et al. 2021), and CLIPTextModelWithProjection where
// the config has a projection. Pads are attended to, as Stable Diffusion's
// pipelines do. Immutable; thread-safe.
class ClipTextEncoder {
 public:
  // Reads the layers, whose names may or may not start with "text_model.";
  // the table finds them by both names. Errors as of WeightReader.
  static absl::StatusOr<ClipTextEncoder> Load(const WeightReader& reader,
                                              kernels::Device& device,
                                              const TextEncoderConfig& config);

  // Computes token ids [N, T] i32, on the host, into embeddings out [N, T,
  // width()]: the hidden states behind the final LayerNorm.
  void Forward(const Pass& pass, const kernels::TensorView& ids,
               const kernels::TensorView& out) const;

  // Computes as Forward does, but the hidden states before the last layer and
  // without the final LayerNorm (transformers' hidden_states[-2]).
  void ForwardPenultimate(const Pass& pass, const kernels::TensorView& ids,
                          const kernels::TensorView& out) const;

  // Computes penultimate hidden states [1, T, width()] of a prompt that is
  // pooled at `token` into out [1, pooled_width()]. Needs a projection.
  void Pool(const Pass& pass, const kernels::TensorView& penultimate,
            int64_t token, const kernels::TensorView& out) const;

  // Returns the place of the token at which `ids` [T] are pooled: the first
  // end of the text.
  int64_t PooledToken(std::span<const int32_t> ids) const;

  // Channels of the embeddings.
  int64_t width() const { return tokens_.shape()[1]; }
  // Channels of the pooled embedding; 0: there is none.
  int64_t pooled_width() const {
    return projection_.has_value() ? projection_->outputs() : 0;
  }
  // Tokens that have a position: the longest prompt.
  int64_t max_positions() const { return positions_.shape()[0]; }
  // The layers that adapters may name.
  const LayerTable& table() const { return table_; }

 private:
  // Looks the tokens up and runs the first `count` layers.
  void RunLayers(const Pass& pass, const kernels::TensorView& ids, size_t count,
                 const kernels::TensorView& out) const;

  LayerTable table_;
  kernels::Tensor tokens_;     // [V, C]
  kernels::Tensor positions_;  // [P, C]
  std::vector<ClipLayer> layers_;
  LayerNorm final_norm_;
  std::optional<Linear> projection_;
  int64_t eos_token_id_ = TextEncoderConfig::kLargestId;
  int64_t heads_ = 1;
  kernels::Activation activation_ = kernels::Activation::kQuickGelu;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_CLIP_TEXT_ENCODER_H_

// The shape of a CLIP text encoder, from its config.json.
#ifndef TESSERA_WORKER_MODEL_TEXT_ENCODER_CONFIG_H_
#define TESSERA_WORKER_MODEL_TEXT_ENCODER_CONFIG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernels/ops/activation.h"
#include "worker/model/config_file.h"

namespace tessera::model {

// The fields of transformers' CLIPTextConfig that the encoder needs.
struct TextEncoderConfig {
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  // Channels between the perceptron's two layers.
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  // Divides hidden_size.
  int64_t num_attention_heads = 0;
  int64_t max_position_embeddings = 0;  // tokens a prompt is padded to
  float layer_norm_eps = 0;
  kernels::Activation hidden_act = kernels::Activation::kQuickGelu;
  // Width of the pooled embedding; 0: the encoder has none.
  int64_t projection_dim = 0;
  // Ends the prompt that is pooled; kLargestId: the largest id does.
  int64_t eos_token_id = kLargestId;

  static constexpr int64_t kLargestId = -1;
};

// Read and check a config: of an encoder of hidden states alone
// (CLIPTextModel), or of one that also projects a pooled embedding
// (CLIPTextModelWithProjection). Errors: INVALID_ARGUMENT naming file and
// field.
absl::StatusOr<TextEncoderConfig> ReadTextEncoderConfig(const ConfigFile& file);
absl::StatusOr<TextEncoderConfig> ReadProjectingTextEncoderConfig(
    const ConfigFile& file);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_TEXT_ENCODER_CONFIG_H_

#include "worker/model/text_encoder_config.h"

#include <string>
#include <vector>

#include "common/status_macros.h"

namespace tessera::model {
namespace {

// Stands in the configs of OpenAI's and OpenCLIP's encoders, whose vocabulary
// has no such end; transformers then pools at the largest id
// (modeling_clip.py).
constexpr int64_t kOldEosTokenId = 2;

// Refuses an encoder of another class than `name`: it would be pooled or
// projected in another way.
absl::Status CheckClass(const ConfigFile& file, const char* name) {
  if (!file.Has("architectures")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> classes,
                   file.Strings("architectures"));
  if (classes[0] != name) return file.Error("architectures", name);
  return absl::OkStatus();
}

// Reads what both classes have.
absl::StatusOr<TextEncoderConfig> ReadShape(const ConfigFile& file) {
  // Takes transformers' defaults where fields are absent.
  TextEncoderConfig config;
  ASSIGN_OR_RETURN(config.vocab_size,
                   file.IntOr("vocab_size", 1, 1'000'000, 49408));
  ASSIGN_OR_RETURN(config.hidden_size,
                   file.IntOr("hidden_size", 1, 16384, 512));
  ASSIGN_OR_RETURN(config.intermediate_size,
                   file.IntOr("intermediate_size", 1, 65536, 2048));
  ASSIGN_OR_RETURN(config.num_hidden_layers,
                   file.IntOr("num_hidden_layers", 1, 128, 12));
  ASSIGN_OR_RETURN(config.num_attention_heads,
                   file.IntOr("num_attention_heads", 1, 1024, 8));
  if (config.hidden_size % config.num_attention_heads != 0) {
    return file.Error("num_attention_heads", "a divisor of hidden_size");
  }
  // Leaves room for start, end and one token.
  ASSIGN_OR_RETURN(config.max_position_embeddings,
                   file.IntOr("max_position_embeddings", 3, 4096, 77));
  ASSIGN_OR_RETURN(config.layer_norm_eps,
                   file.PositiveOr("layer_norm_eps", 1e-5));
  ASSIGN_OR_RETURN(const std::string act,
                   file.StringOr("hidden_act", "quick_gelu"));
  // Knows the activations of OpenAI's CLIP and of SD 2's OpenCLIP.
  if (act != "quick_gelu" && act != "gelu") {
    return file.Error("hidden_act", "quick_gelu or gelu");
  }
  config.hidden_act = act == "gelu" ? kernels::Activation::kGelu
                                    : kernels::Activation::kQuickGelu;
  return config;
}

}  // namespace

absl::StatusOr<TextEncoderConfig> ReadTextEncoderConfig(
    const ConfigFile& file) {
  RETURN_IF_ERROR(CheckClass(file, "CLIPTextModel"));
  return ReadShape(file);
}

absl::StatusOr<TextEncoderConfig> ReadProjectingTextEncoderConfig(
    const ConfigFile& file) {
  RETURN_IF_ERROR(CheckClass(file, "CLIPTextModelWithProjection"));
  ASSIGN_OR_RETURN(TextEncoderConfig config, ReadShape(file));
  ASSIGN_OR_RETURN(config.projection_dim,
                   file.IntOr("projection_dim", 1, 65536, 512));
  ASSIGN_OR_RETURN(const int64_t eos,
                   file.IntOr("eos_token_id", 0, 1'000'000, 49407));
  if (eos != kOldEosTokenId) config.eos_token_id = eos;
  return config;
}

}  // namespace tessera::model

// All configs of a model folder, read before any weights.
#ifndef TESSERA_WORKER_MODEL_MODEL_CONFIGS_H_
#define TESSERA_WORKER_MODEL_MODEL_CONFIGS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/model/sampler_config.h"
#include "worker/model/text_encoder_config.h"
#include "worker/model/unet_config.h"
#include "worker/model/vae_config.h"

namespace tessera::model {

// What a model in the layout of diffusers consists of. Which kind it is, the
// UNet's config decides: one with an added embedding is of the XL kind, with
// two text encoders.
struct ModelConfigs {
  TextEncoderConfig text;
  std::optional<TextEncoderConfig> second_text;  // of the XL kind alone
  UNetConfig unet;
  VaeConfig vae;
  SamplerConfig sampler;
  // Whether an empty negative prompt stands for embeddings of zeros
  // (force_zeros_for_empty_prompt of the XL kind).
  bool zero_empty_negative = false;
};

// Reads and checks the configs of `model_dir`, and that they agree. Errors:
// NOT_FOUND for a missing file, INVALID_ARGUMENT naming file and field, also
// for a folder that was made for another pipeline.
absl::StatusOr<ModelConfigs> ReadModelConfigs(const std::string& model_dir);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_MODEL_CONFIGS_H_

#include "worker/model/model_configs.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/config_file.h"

namespace tessera::model {
namespace {

// Opens a config and has `read` check it.
template <typename Config>
absl::StatusOr<Config> ReadConfig(
    const std::string& path,
    absl::StatusOr<Config> (*read)(const ConfigFile&)) {
  ASSIGN_OR_RETURN(const ConfigFile file, ConfigFile::Open(path));
  return read(file);
}

// Excludes inpainting models, whose UNets read more channels than latents have.
absl::Status CheckLatents(const UNetConfig& unet, const VaeConfig& vae) {
  if (unet.in_channels == vae.latent_channels &&
      unet.out_channels == vae.latent_channels) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the latents have the wrong shape for the VAE: unet/config.json has ",
      unet.in_channels, " channels in and ", unet.out_channels,
      " out, latent_channels in vae/config.json is ", vae.latent_channels));
}

// Excludes UNets that were trained with another text encoder.
absl::Status CheckText(const UNetConfig& unet, const TextEncoderConfig& text) {
  if (unet.cross_attention_dim == text.hidden_size) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the text embeddings have the wrong shape for the UNet: "
      "cross_attention_dim in unet/config.json is ",
      unet.cross_attention_dim, ", hidden_size in text_encoder/config.json is ",
      text.hidden_size));
}

// As CheckText, of the XL kind: hidden states side by side, and pooled text.
absl::Status CheckTexts(const UNetConfig& unet, const TextEncoderConfig& first,
                        const TextEncoderConfig& second) {
  if (unet.cross_attention_dim != first.hidden_size + second.hidden_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the text embeddings have the wrong shape for the UNet: "
        "cross_attention_dim in unet/config.json is ",
        unet.cross_attention_dim, ", the text encoders' hidden_size are ",
        first.hidden_size, " and ", second.hidden_size));
  }
  if (unet.pooled_width() != second.projection_dim) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the pooled text has the wrong shape for the UNet: "
        "projection_class_embeddings_input_dim in unet/config.json leaves ",
        unet.pooled_width(),
        ", projection_dim in text_encoder_2/config.json is ",
        second.projection_dim));
  }
  if (first.max_position_embeddings != second.max_position_embeddings) {
    return absl::InvalidArgumentError(
        absl::StrCat("the text encoders read prompts of unlike lengths: "
                     "max_position_embeddings are ",
                     first.max_position_embeddings, " and ",
                     second.max_position_embeddings));
  }
  return absl::OkStatus();
}

// The pipelines of diffusers whose folders are read.
constexpr char kPlainPipeline[] = "StableDiffusionPipeline";
constexpr char kXlPipeline[] = "StableDiffusionXLPipeline";

// Opens what says which pipeline a folder was made for. The file is optional:
// weights that are converted by hand come without it. Refuses a folder made for
// another, whose nets may have the same shapes and yet be used in another way.
absl::StatusOr<std::optional<ConfigFile>> OpenIndex(
    const std::string& model_dir) {
  absl::StatusOr<ConfigFile> index =
      ConfigFile::Open(model_dir + "/model_index.json");
  if (absl::IsNotFound(index.status())) return std::nullopt;
  RETURN_IF_ERROR(index.status());
  ASSIGN_OR_RETURN(const std::string name,
                   index->StringOr("_class_name", kPlainPipeline));
  if (name != kPlainPipeline && name != kXlPipeline) {
    return index->Error("_class_name",
                        absl::StrCat(kPlainPipeline, " or ", kXlPipeline));
  }
  // Is set by the refiner, whose numbers are others than sizes.
  RETURN_IF_ERROR(index->ExpectBool("requires_aesthetics_score", false));
  return std::optional<ConfigFile>(*std::move(index));
}

// Reads what the XL pipeline is told, and refuses a UNet of the other kind.
absl::Status ReadIndex(const ConfigFile& index, ModelConfigs& configs) {
  const bool xl = configs.second_text.has_value();
  RETURN_IF_ERROR(
      index.ExpectString("_class_name", xl ? kXlPipeline : kPlainPipeline));
  if (!xl) return absl::OkStatus();
  ASSIGN_OR_RETURN(configs.zero_empty_negative,
                   index.BoolOr("force_zeros_for_empty_prompt", true));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelConfigs> ReadModelConfigs(const std::string& model_dir) {
  ASSIGN_OR_RETURN(const std::optional<ConfigFile> index, OpenIndex(model_dir));
  ModelConfigs configs;
  ASSIGN_OR_RETURN(configs.unet,
                   ReadConfig(model_dir + "/unet/config.json", ReadUNetConfig));
  ASSIGN_OR_RETURN(configs.text,
                   ReadConfig(model_dir + "/text_encoder/config.json",
                              ReadTextEncoderConfig));
  if (configs.unet.has_added_embedding()) {
    ASSIGN_OR_RETURN(configs.second_text,
                     ReadConfig(model_dir + "/text_encoder_2/config.json",
                                ReadProjectingTextEncoderConfig));
  }
  // Is the class's own default.
  configs.zero_empty_negative = configs.second_text.has_value();
  if (index.has_value()) RETURN_IF_ERROR(ReadIndex(*index, configs));
  ASSIGN_OR_RETURN(configs.vae,
                   ReadConfig(model_dir + "/vae/config.json", ReadVaeConfig));
  RETURN_IF_ERROR(CheckLatents(configs.unet, configs.vae));
  RETURN_IF_ERROR(
      configs.second_text.has_value()
          ? CheckTexts(configs.unet, configs.text, *configs.second_text)
          : CheckText(configs.unet, configs.text));
  ASSIGN_OR_RETURN(configs.sampler,
                   ReadConfig(model_dir + "/scheduler/scheduler_config.json",
                              ReadSamplerConfig));
  return configs;
}

}  // namespace tessera::model

#include "worker/model/text_to_image.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/config_file.h"
#include "worker/model/model_digest.h"
#include "worker/model/model_parts.h"
#include "worker/model/request_limits.h"

namespace tessera::model {
namespace {

// What the parts of a model must agree on, each from its own file.
absl::Status CheckAgreement(const UNetConfig& unet, const VaeConfig& vae,
                            const TextEncoderConfig& text) {
  // Excludes inpainting models, whose UNets read more channels than latents
  // have.
  if (unet.in_channels != vae.latent_channels ||
      unet.out_channels != vae.latent_channels) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the latents have the wrong shape for the VAE: unet/config.json has ",
        unet.in_channels, " channels in and ", unet.out_channels,
        " out, latent_channels in vae/config.json is ", vae.latent_channels));
  }
  // Excludes models with a second or another text encoder.
  if (unet.cross_attention_dim != text.hidden_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the text embeddings have the wrong shape for the UNet: "
        "cross_attention_dim in unet/config.json is ",
        unet.cross_attention_dim,
        ", hidden_size in text_encoder/config.json is ", text.hidden_size));
  }
  return absl::OkStatus();
}

// Refuses a folder made for another pipeline, whose nets may have the same
// shapes and yet be used in another way. The file is optional: weights that are
// converted by hand come without it.
absl::Status CheckPipeline(const std::string& model_dir) {
  const absl::StatusOr<ConfigFile> index =
      ConfigFile::Open(model_dir + "/model_index.json");
  if (absl::IsNotFound(index.status())) return absl::OkStatus();
  RETURN_IF_ERROR(index.status());
  return index->ExpectString("_class_name", "StableDiffusionPipeline");
}

// Opens a config and has `read` check it.
template <typename Config>
absl::StatusOr<Config> ReadConfig(
    const std::string& path,
    absl::StatusOr<Config> (*read)(const ConfigFile&)) {
  ASSIGN_OR_RETURN(const ConfigFile file, ConfigFile::Open(path));
  return read(file);
}

}  // namespace

// Reads all configs before any weights, so that a model that cannot work is
// refused early.
absl::StatusOr<std::unique_ptr<TextToImage>> TextToImage::Load(
    const std::string& model_dir, kernels::Device& device) {
  RETURN_IF_ERROR(CheckPipeline(model_dir));
  ASSIGN_OR_RETURN(const auto text_config,
                   ReadConfig(model_dir + "/text_encoder/config.json",
                              ReadTextEncoderConfig));
  ASSIGN_OR_RETURN(auto unet_config,
                   ReadConfig(model_dir + "/unet/config.json", ReadUNetConfig));
  ASSIGN_OR_RETURN(auto vae_config,
                   ReadConfig(model_dir + "/vae/config.json", ReadVaeConfig));
  RETURN_IF_ERROR(CheckAgreement(unet_config, vae_config, text_config));
  ASSIGN_OR_RETURN(auto sampler_config,
                   ReadConfig(model_dir + "/scheduler/scheduler_config.json",
                              ReadSamplerConfig));
  ASSIGN_OR_RETURN(ClipTokenizer tokenizer,
                   ClipTokenizer::Load(model_dir + "/tokenizer",
                                       text_config.max_position_embeddings));
  // Compares ids with the rows of the embedding table that they index.
  if (tokenizer.vocab_size() > text_config.vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tokenizer has ids that the text encoder lacks: ",
                     tokenizer.vocab_size(), " ids, ", text_config.vocab_size));
  }
  // Keeps each file mapped while its part loads; packed weights are copies.
  ASSIGN_OR_RETURN(const WeightReader text_weights,
                   WeightReader::Open(model_dir + "/text_encoder", "model"));
  ASSIGN_OR_RETURN(ClipTextEncoder text_encoder,
                   ClipTextEncoder::Load(text_weights, device, text_config));
  ASSIGN_OR_RETURN(
      const WeightReader unet_weights,
      WeightReader::Open(model_dir + "/unet", "diffusion_pytorch_model"));
  ASSIGN_OR_RETURN(UNet unet, UNet::Load(unet_weights, device, unet_config));
  ASSIGN_OR_RETURN(
      const WeightReader vae_weights,
      WeightReader::Open(model_dir + "/vae", "diffusion_pytorch_model"));
  ASSIGN_OR_RETURN(VaeDecoder vae,
                   VaeDecoder::Load(vae_weights, device, vae_config));
  // Makes pictures of the size that the UNet was trained at, unless asked.
  const auto side = static_cast<int>(unet_config.sample_size * vae.scale());
  ModelFacts facts{.default_width = side,
                   .default_height = side,
                   .size_multiple = static_cast<int>(vae.scale()),
                   .sampler = sampler_config.sampler};
  // Reads every byte once more, from the page cache as a rule.
  ASSIGN_OR_RETURN(facts.digest, ModelDigest(model_dir));
  // Calls the private constructor, which make_unique cannot.
  return std::unique_ptr<TextToImage>(new TextToImage(std::unique_ptr<Parts>(
      new Parts{device, std::move(tokenizer), std::move(text_encoder),
                std::move(unet_config), std::move(unet), std::move(vae_config),
                std::move(vae), std::move(sampler_config), std::move(facts)})));
}

TextToImage::TextToImage(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

// Is defined here, where Parts is complete.
TextToImage::~TextToImage() = default;

const ModelFacts& TextToImage::facts() const { return parts_->facts; }

// Leaves steps, guidance and prompts alone: 0 means 0 there.
ImageRequest TextToImage::Resolve(ImageRequest request) const {
  if (request.width == 0) request.width = facts().default_width;
  if (request.height == 0) request.height = facts().default_height;
  if (request.sampler.empty()) request.sampler = facts().sampler;
  return request;
}

absl::Status TextToImage::Validate(const ImageRequest& request) const {
  const ImageRequest resolved = Resolve(request);
  // Checks what was filled in as well: the model's own size must be in range.
  RETURN_IF_ERROR(CheckRanges(resolved, facts().size_multiple));
  // Plans and throws the plan away: the sampler knows which steps it allows.
  RETURN_IF_ERROR(PlanSampler(resolved.sampler, parts_->sampler_config,
                              resolved.num_inference_steps)
                      .status());
  if (resolved.init_latents != nullptr) {
    // Expects planes [C, h, w], the order in which torch draws noise.
    const kernels::Shape expected{parts_->vae_config.latent_channels,
                                  resolved.height / parts_->vae.scale(),
                                  resolved.width / parts_->vae.scale()};
    if (resolved.init_latents->shape() != expected ||
        resolved.init_latents->dtype() != kernels::DType::kF32) {
      return absl::InvalidArgumentError(
          absl::StrCat("init_latents: expected f32 ", expected.ToString(),
                       ", got ", resolved.init_latents->shape().ToString()));
    }
  }
  // Checks every adapter against both nets, for a LoRA may name layers of
  // either.
  for (const AdapterUse& use : resolved.adapters) {
    RETURN_IF_ERROR(
        CheckAdapter(*use.weights, AdapterNet::kUNet, parts_->unet.table()));
    RETURN_IF_ERROR(CheckAdapter(*use.weights, AdapterNet::kTextEncoder,
                                 parts_->text_encoder.table()));
  }
  return absl::OkStatus();
}

}  // namespace tessera::model

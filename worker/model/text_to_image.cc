#include "worker/model/text_to_image.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/model_configs.h"
#include "worker/model/model_digest.h"
#include "worker/model/model_parts.h"
#include "worker/model/request_limits.h"

namespace tessera::model {
namespace {

// Reads the tokenizer in `folder` for the encoder that reads its ids, which
// index the rows of the encoder's table.
absl::StatusOr<ClipTokenizer> LoadTokenizer(const std::string& folder,
                                            const TextEncoderConfig& encoder) {
  ASSIGN_OR_RETURN(
      ClipTokenizer tokenizer,
      ClipTokenizer::Load(folder, encoder.max_position_embeddings));
  if (tokenizer.vocab_size() > encoder.vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tokenizer has ids that the text encoder lacks: ",
                     tokenizer.vocab_size(), " ids, ", encoder.vocab_size));
  }
  return tokenizer;
}

// Reads a text encoder. The file is mapped only while it loads, here and
// below; packed weights are copies.
absl::StatusOr<ClipTextEncoder> LoadTextEncoder(
    const std::string& folder, kernels::Device& device,
    const TextEncoderConfig& config) {
  ASSIGN_OR_RETURN(const WeightReader reader,
                   WeightReader::Open(folder, "model"));
  return ClipTextEncoder::Load(reader, device, config);
}

// Reads what the XL kind has beside the first encoder.
absl::StatusOr<SecondText> LoadSecondText(const std::string& model_dir,
                                          kernels::Device& device,
                                          const TextEncoderConfig& config) {
  ASSIGN_OR_RETURN(ClipTokenizer tokenizer,
                   LoadTokenizer(model_dir + "/tokenizer_2", config));
  ASSIGN_OR_RETURN(
      ClipTextEncoder encoder,
      LoadTextEncoder(model_dir + "/text_encoder_2", device, config));
  return SecondText{std::move(tokenizer), std::move(encoder)};
}

// Says what a caller may know. Reads every byte of the folder once more, from
// the page cache as a rule.
absl::StatusOr<ModelFacts> FactsOf(const std::string& model_dir,
                                   const ModelConfigs& configs) {
  const int64_t scale = configs.vae.scale();
  // Makes pictures of the size that the UNet was trained at, unless asked.
  const auto side = static_cast<int>(configs.unet.sample_size * scale);
  ModelFacts facts{.default_width = side,
                   .default_height = side,
                   .size_multiple = static_cast<int>(scale),
                   .sampler = configs.sampler.sampler};
  ASSIGN_OR_RETURN(facts.digest, ModelDigest(model_dir));
  return facts;
}

// Returns a device that decodes in f32 for models whose VAE overflows f16, as
// diffusers' StableDiffusionXLPipeline decides; else null.
std::unique_ptr<kernels::Device> UpcastDevice(const ModelConfigs& configs,
                                              const kernels::Device& device) {
  const bool upcast = configs.second_text.has_value() &&
                      configs.vae.force_upcast &&
                      device.compute_dtype() == kernels::DType::kF16;
  return upcast ? device.ComputingIn(kernels::DType::kF32) : nullptr;
}

// Refuses to cut nets that stages could not run: they are sent hidden pictures
// and prompts, but not what the XL kind adds to the time embedding.
absl::Status CheckPieces(const ModelConfigs& configs,
                         std::span<const PieceRange> owned) {
  const bool whole = owned.size() == 1 && owned[0] == PieceRange::All();
  if (whole || !configs.unet.has_added_embedding()) return absl::OkStatus();
  return absl::UnimplementedError(
      "unet/config.json: a UNet with addition_embed_type runs in one process, "
      "not in the stages of a pipeline");
}

}  // namespace

absl::StatusOr<std::unique_ptr<TextToImage>> TextToImage::Load(
    const std::string& model_dir, kernels::Device& device) {
  const PieceRange all = PieceRange::All();
  return LoadPieces(model_dir, device, {&all, 1});
}

// Reads all configs before any weights, so that a model that cannot work is
// refused early.
absl::StatusOr<std::unique_ptr<TextToImage>> TextToImage::LoadPieces(
    const std::string& model_dir, kernels::Device& device,
    std::span<const PieceRange> owned) {
  ASSIGN_OR_RETURN(ModelConfigs configs, ReadModelConfigs(model_dir));
  RETURN_IF_ERROR(CheckPieces(configs, owned));
  ASSIGN_OR_RETURN(ClipTokenizer tokenizer,
                   LoadTokenizer(model_dir + "/tokenizer", configs.text));
  std::optional<SecondText> second;
  if (configs.second_text.has_value()) {
    ASSIGN_OR_RETURN(second,
                     LoadSecondText(model_dir, device, *configs.second_text));
  }
  ASSIGN_OR_RETURN(
      ClipTextEncoder text_encoder,
      LoadTextEncoder(model_dir + "/text_encoder", device, configs.text));
  ASSIGN_OR_RETURN(
      const WeightReader unet_weights,
      WeightReader::Open(model_dir + "/unet", "diffusion_pytorch_model"));
  ASSIGN_OR_RETURN(UNet unet,
                   UNet::LoadPieces(unet_weights, device, configs.unet, owned));
  ASSIGN_OR_RETURN(
      const WeightReader vae_weights,
      WeightReader::Open(model_dir + "/vae", "diffusion_pytorch_model"));
  std::unique_ptr<kernels::Device> upcast = UpcastDevice(configs, device);
  ASSIGN_OR_RETURN(
      VaeDecoder vae,
      VaeDecoder::Load(vae_weights, upcast == nullptr ? device : *upcast,
                       configs.vae));
  ASSIGN_OR_RETURN(ModelFacts facts, FactsOf(model_dir, configs));
  // Calls the private constructor, which make_unique cannot.
  return std::unique_ptr<TextToImage>(new TextToImage(std::unique_ptr<Parts>(
      new Parts{.device = device,
                .tokenizer = std::move(tokenizer),
                .text_encoder = std::move(text_encoder),
                .second_text = std::move(second),
                .zero_empty_negative = configs.zero_empty_negative,
                .unet_config = std::move(configs.unet),
                .unet = std::move(unet),
                .vae_config = std::move(configs.vae),
                .upcast_device = std::move(upcast),
                .vae = std::move(vae),
                .sampler_config = std::move(configs.sampler),
                .facts = std::move(facts)})));
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
    if (!parts_->second_text.has_value()) continue;
    RETURN_IF_ERROR(CheckAdapter(*use.weights, AdapterNet::kTextEncoder2,
                                 parts_->second_text->encoder.table()));
  }
  return absl::OkStatus();
}

}  // namespace tessera::model

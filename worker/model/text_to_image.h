#ifndef TESSERA_WORKER_MODEL_TEXT_TO_IMAGE_H_
#define TESSERA_WORKER_MODEL_TEXT_TO_IMAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_weights.h"
#include "worker/model/unet_piece.h"

namespace tessera::model {

// One adapter of a request: its parsed weights and the strength to apply.
struct AdapterUse {
  // Shared by every request that uses the file.
  std::shared_ptr<const AdapterWeights> weights;
  // Multiplies alpha / rank; 0 leaves the model's own bits.
  float scale = 1.0f;
};

// One picture to make. Fields keep the names of a prompt line.
struct ImageRequest {
  std::string prompt;  // UTF-8
  // UTF-8; encoded even when empty, but by models of the XL kind that say so
  // (force_zeros_for_empty_prompt): there empty stands for zeros.
  std::string negative_prompt;
  uint64_t seed = 0;  // of the noise stream of this picture
  int num_inference_steps = 50;
  float guidance_scale = 7.5f;  // at most 1: no guidance, one UNet row
  std::string sampler;          // empty: the model's own
  int width = 0;                // pixels; 0: the model's default
  int height = 0;               // pixels; 0: the model's default
  // Applied together, in any order: each adds its own difference.
  std::vector<AdapterUse> adapters;
  // Unit normal noise [C, height/8, width/8] f32 instead of the seed's.
  // Shared so that a request can be copied.
  std::shared_ptr<const kernels::Tensor> init_latents;
};

// A finished picture, 8 bits a channel.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3], row-major
};

// Where the time of a batch went since it was made.
struct StageSeconds {
  double text_encode = 0;
  double denoise = 0;
  double vae_decode = 0;
  int64_t unet_calls = 0;  // one call serves every row of the batch
};

// What a caller may know about a loaded model.
struct ModelFacts {
  int default_width = 0;     // pixels
  int default_height = 0;    // pixels
  int size_multiple = 0;     // width and height are multiples of it
  std::string sampler;       // short name of the model's own sampler
  std::string digest;        // hex SHA-256 over every file that was loaded
  int64_t weight_bytes = 0;  // packed weights held in memory
};

// A text-to-image model, loaded and packed: tokenizer, text encoder, UNet,
// VAE decoder and the sampler settings of one model folder in the layout of
// diffusers. Pictures are made by a `DenoiseBatch` on top of it.
//
// Immutable after `Load`; thread-safe. Must outlive every batch made on it.
class TextToImage {
 public:
  // Reads and packs the model folder. `device` must outlive the model.
  //
  // Errors: NOT_FOUND when a file is missing, INVALID_ARGUMENT when a file is
  // damaged, a tensor has an unexpected name, type or shape, or a config names
  // a class or block type outside the Stable Diffusion 1.x and 2.x kind.
  static absl::StatusOr<std::unique_ptr<TextToImage>> Load(
      const std::string& model_dir, kernels::Device& device);
  // Does so with the given pieces of the UNet alone: the model then makes
  // pictures only in a batch with a NoisePredictor that runs the others.
  static absl::StatusOr<std::unique_ptr<TextToImage>> LoadPieces(
      const std::string& model_dir, kernels::Device& device,
      std::span<const PieceRange> owned);
  ~TextToImage();

  TextToImage(const TextToImage&) = delete;
  TextToImage& operator=(const TextToImage&) = delete;

  // Says whether a request can be made by this model: ranges, sampler name,
  // adapter layers and shapes. INVALID_ARGUMENT names the field.
  absl::Status Validate(const ImageRequest& request) const;

  // Fills every 0 and empty field of `request` with the model's own value.
  ImageRequest Resolve(ImageRequest request) const;

  const ModelFacts& facts() const;

  // The nets and settings, for DenoiseBatch and tests.
  struct Parts;
  const Parts& parts() const { return *parts_; }

 private:
  explicit TextToImage(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_TEXT_TO_IMAGE_H_

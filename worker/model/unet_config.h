// The shape of a UNet, from unet/config.json.
#ifndef TESSERA_WORKER_MODEL_UNET_CONFIG_H_
#define TESSERA_WORKER_MODEL_UNET_CONFIG_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/config_file.h"

namespace tessera::model {

// The fields of diffusers' UNet2DConditionModel that a Stable Diffusion UNet
// varies. Lists have one entry a block, from the outermost.
struct UNetConfig {
  int64_t sample_size = 0;  // latent height and width it was trained at
  // Channels of the latents, in and out alike.
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  // Widths of the down blocks; the up blocks mirror them.
  std::vector<int64_t> block_out_channels;
  int64_t layers_per_block = 0;             // resnets of a down block
  std::vector<bool> down_cross_attention;   // has transformers; down order
  std::vector<bool> up_cross_attention;     // by step of the up path
  std::vector<int64_t> attention_heads;     // down order
  std::vector<int64_t> transformer_layers;  // down order
  int64_t cross_attention_dim = 0;          // width of the text embeddings
  // Groups of every group norm; divides all widths.
  int64_t norm_num_groups = 0;
  float norm_eps = 0;
  // Whether proj_in and proj_out are stored as linear layers.
  bool use_linear_projection = false;
  // Whether the time embedding has its cosines first.
  bool flip_sin_to_cos = true;
  float freq_shift = 0;
  // Of what Stable Diffusion XL adds to the time embedding, made of the pooled
  // text and of six numbers; 0: nothing is added.
  int64_t added_sinusoids = 0;  // channels a number
  int64_t added_inputs = 0;     // channels of text and numbers together

  bool has_added_embedding() const { return added_inputs > 0; }
  // Width of the pooled text that the UNet reads; 0: none.
  int64_t pooled_width() const {
    return added_inputs - kAddedNumbers * added_sinusoids;
  }

  // Original height and width, top and left of the crop, height and width.
  static constexpr int64_t kAddedNumbers = 6;
};

// Reads and checks a config. Errors: INVALID_ARGUMENT naming file and field,
// also for every option that this engine does not have.
absl::StatusOr<UNetConfig> ReadUNetConfig(const ConfigFile& file);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_UNET_CONFIG_H_

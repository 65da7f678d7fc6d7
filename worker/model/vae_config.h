// The shape of a VAE decoder, from vae/config.json.
#ifndef TESSERA_WORKER_MODEL_VAE_CONFIG_H_
#define TESSERA_WORKER_MODEL_VAE_CONFIG_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/config_file.h"

namespace tessera::model {

// The fields of diffusers' AutoencoderKL that its decoder needs.
struct VaeConfig {
  int64_t latent_channels = 0;
  int64_t out_channels = 0;                 // of the picture: 3
  std::vector<int64_t> block_out_channels;  // encoder order
  // Resnets of an encoder's block; the decoder's have one more.
  int64_t layers_per_block = 0;
  int64_t norm_num_groups = 0;
  // Whether the middle block attends over all pixels.
  bool mid_block_add_attention = true;
  // Whether a 1x1 convolution maps the latents first.
  bool use_post_quant_conv = true;
  float scaling_factor = 0;  // latents are divided by it before decoding
  float shift_factor = 0;    // and then this is added
  // Whether activations overflow f16: the XL kind then decodes in f32 where the
  // device computes in f16.
  bool force_upcast = true;

  // Returns pixels a latent: 2 for every block but the last.
  int64_t scale() const {
    return int64_t{1} << (block_out_channels.size() - 1);
  }
};

// Reads and checks a config. Errors: INVALID_ARGUMENT naming file and field,
// also for every option that this engine does not have.
absl::StatusOr<VaeConfig> ReadVaeConfig(const ConfigFile& file);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_VAE_CONFIG_H_

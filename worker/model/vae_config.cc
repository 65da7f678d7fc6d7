#include "worker/model/vae_config.h"

#include <string>

#include "common/status_macros.h"

namespace tessera::model {

absl::StatusOr<VaeConfig> ReadVaeConfig(const ConfigFile& file) {
  // Refuses settings that would change arithmetic; absent ones have diffusers'
  // defaults.
  RETURN_IF_ERROR(file.ExpectString("_class_name", "AutoencoderKL"));
  RETURN_IF_ERROR(file.ExpectString("act_fn", "silu"));
  RETURN_IF_ERROR(file.ExpectNull("latents_mean"));
  RETURN_IF_ERROR(file.ExpectNull("latents_std"));
  VaeConfig config;
  ASSIGN_OR_RETURN(config.latent_channels,
                   file.IntOr("latent_channels", 1, 64, 4));
  // Wants RGB, which PNG files are written from.
  ASSIGN_OR_RETURN(config.out_channels, file.IntOr("out_channels", 3, 3, 3));
  ASSIGN_OR_RETURN(config.block_out_channels,
                   file.Ints("block_out_channels", 1, 16384));
  // Reads the decoder's blocks only: pictures are not encoded here.
  ASSIGN_OR_RETURN(const std::vector<std::string> types,
                   file.Strings("up_block_types"));
  for (const std::string& type : types) {
    if (type != "UpDecoderBlock2D") {
      return file.Error("up_block_types", "UpDecoderBlock2D only");
    }
  }
  if (types.size() != config.block_out_channels.size()) {
    return file.Error("up_block_types", "one type a block_out_channels");
  }
  ASSIGN_OR_RETURN(config.layers_per_block,
                   file.IntOr("layers_per_block", 1, 16, 1));
  ASSIGN_OR_RETURN(config.norm_num_groups,
                   file.IntOr("norm_num_groups", 1, 1024, 32));
  // Checks what group norm divides.
  for (const int64_t channels : config.block_out_channels) {
    if (channels % config.norm_num_groups != 0) {
      return file.Error("block_out_channels", "multiples of norm_num_groups");
    }
  }
  ASSIGN_OR_RETURN(config.mid_block_add_attention,
                   file.BoolOr("mid_block_add_attention", true));
  ASSIGN_OR_RETURN(config.use_post_quant_conv,
                   file.BoolOr("use_post_quant_conv", true));
  // Divides the latents, so it cannot be zero.
  ASSIGN_OR_RETURN(config.scaling_factor,
                   file.PositiveOr("scaling_factor", 0.18215));
  // Is absent from Stable Diffusion's configs, hence 0; later autoencoders set
  // it.
  ASSIGN_OR_RETURN(config.shift_factor, file.FloatOr("shift_factor", 0));
  // Is true where absent, as in diffusers.
  ASSIGN_OR_RETURN(config.force_upcast, file.BoolOr("force_upcast", true));
  return config;
}

}  // namespace tessera::model

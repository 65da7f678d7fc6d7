#include "worker/model/unet_config.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::model {
namespace {

// Options of UNet2DConditionModel that no Stable Diffusion model sets.
constexpr const char* kAbsent[] = {"class_embed_type",
                                   "conv_in_kernel_size",
                                   "cross_attention_norm",
                                   "encoder_hid_dim",
                                   "encoder_hid_dim_type",
                                   "num_class_embeds",
                                   "time_cond_proj_dim",
                                   "timestep_post_act",
                                   "time_embedding_act_fn",
                                   "time_embedding_dim",
                                   "mid_block_only_cross_attention",
                                   "reverse_transformer_layers_per_block"};

// Refuses settings that would add layers or change arithmetic; absent ones have
// diffusers' defaults, which are the usual.
absl::Status CheckOptions(const ConfigFile& file) {
  RETURN_IF_ERROR(file.ExpectString("_class_name", "UNet2DConditionModel"));
  RETURN_IF_ERROR(file.ExpectString("act_fn", "silu"));
  RETURN_IF_ERROR(file.ExpectString("time_embedding_type", "positional"));
  RETURN_IF_ERROR(file.ExpectString("resnet_time_scale_shift", "default"));
  RETURN_IF_ERROR(file.ExpectString("attention_type", "default"));
  RETURN_IF_ERROR(
      file.ExpectString("mid_block_type", "UNetMidBlock2DCrossAttn"));
  for (const char* field : {"center_input_sample", "class_embeddings_concat",
                            "dual_cross_attention", "only_cross_attention",
                            "resnet_skip_time_act"}) {
    RETURN_IF_ERROR(file.ExpectBool(field, false));
  }
  for (const char* field : kAbsent) RETURN_IF_ERROR(file.ExpectNull(field));
  // Takes windows of 3 only, one number for both axes.
  for (const char* field : {"conv_in_kernel", "conv_out_kernel"}) {
    RETURN_IF_ERROR(file.IntOr(field, 3, 3, 3).status());
  }
  // Pads both sides by one, on which sizes at each level depend.
  RETURN_IF_ERROR(file.IntOr("downsample_padding", 1, 1, 1).status());
  for (const char* field :
       {"mid_block_scale_factor", "resnet_out_scale_factor"}) {
    ASSIGN_OR_RETURN(const double factor, file.NumberOr(field, 1.0));
    if (factor != 1.0) return file.Error(field, "1");
  }
  return absl::OkStatus();
}

// Reads a list of block types as whether each has transformers.
absl::StatusOr<std::vector<bool>> ReadBlocks(const ConfigFile& file,
                                             const std::string& field,
                                             const std::string& with,
                                             const std::string& without,
                                             size_t count) {
  ASSIGN_OR_RETURN(const std::vector<std::string> types, file.Strings(field));
  if (types.size() != count) {
    return file.Error(field,
                      absl::StrCat("one type for each of ", count, " blocks"));
  }
  std::vector<bool> cross_attention;
  for (const std::string& type : types) {
    if (type != with && type != without) {
      return file.Error(field, absl::StrCat(with, " and ", without));
    }
    cross_attention.push_back(type == with);
  }
  return cross_attention;
}

// Refuses sinusoids that have no two halves, or frequencies of no finite
// exponent, -i / (half - shift).
absl::Status CheckTimeEmbedding(const ConfigFile& file,
                                const UNetConfig& config) {
  const int64_t sinusoids = config.block_out_channels[0];
  if (sinusoids % 2 != 0) {
    return file.Error("block_out_channels", "a first one that is even");
  }
  if (config.freq_shift >= static_cast<float>(sinusoids / 2)) {
    return file.Error("freq_shift",
                      "less than half of the first of block_out_channels");
  }
  return absl::OkStatus();
}

// Reads the embedding of pooled text and sizes that models of the XL kind add
// to that of the timestep.
absl::Status ReadAddedEmbedding(const ConfigFile& file, UNetConfig& config) {
  constexpr const char* kType = "addition_embed_type";
  if (!file.Has(kType)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string type, file.StringOr(kType, ""));
  if (type != "text_time") return file.Error(kType, "null or text_time");
  ASSIGN_OR_RETURN(config.added_sinusoids,
                   file.Int("addition_time_embed_dim", 1, 65536));
  const int64_t half = config.added_sinusoids / 2;
  if (config.added_sinusoids % 2 != 0 ||
      config.freq_shift >= static_cast<float>(half)) {
    return file.Error("addition_time_embed_dim",
                      "an even number, more than twice freq_shift");
  }
  constexpr const char* kInputs = "projection_class_embeddings_input_dim";
  ASSIGN_OR_RETURN(config.added_inputs, file.Int(kInputs, 1, 1'000'000));
  if (config.pooled_width() < 1) {
    return file.Error(kInputs, "more than six times addition_time_embed_dim");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UNetConfig> ReadUNetConfig(const ConfigFile& file) {
  RETURN_IF_ERROR(CheckOptions(file));
  UNetConfig config;
  // Is required, for it is the default size of pictures.
  ASSIGN_OR_RETURN(config.sample_size, file.Int("sample_size", 1, 4096));
  ASSIGN_OR_RETURN(config.in_channels, file.IntOr("in_channels", 1, 64, 4));
  ASSIGN_OR_RETURN(config.out_channels, file.IntOr("out_channels", 1, 64, 4));
  // Asks for equal channels: the sampler adds the prediction to the latents.
  if (config.in_channels != config.out_channels) {
    return file.Error("in_channels", "the same as out_channels");
  }
  ASSIGN_OR_RETURN(config.block_out_channels,
                   file.Ints("block_out_channels", 1, 16384));
  // Counts the levels; every list below has one entry for each.
  const size_t blocks = config.block_out_channels.size();
  // Takes one number for all blocks; only other models have a list.
  ASSIGN_OR_RETURN(config.layers_per_block,
                   file.IntOr("layers_per_block", 1, 16, 2));
  ASSIGN_OR_RETURN(config.down_cross_attention,
                   ReadBlocks(file, "down_block_types", "CrossAttnDownBlock2D",
                              "DownBlock2D", blocks));
  ASSIGN_OR_RETURN(config.up_cross_attention,
                   ReadBlocks(file, "up_block_types", "CrossAttnUpBlock2D",
                              "UpBlock2D", blocks));
  // For these models diffusers' attention_head_dim is the number of heads,
  // unless num_attention_heads is given (unet_2d_condition.py).
  const bool heads_named = file.Has("num_attention_heads");
  const std::string heads =
      heads_named ? "num_attention_heads" : "attention_head_dim";
  ASSIGN_OR_RETURN(config.attention_heads,
                   file.IntPerBlock(heads, 1, 1024, blocks, 8));
  ASSIGN_OR_RETURN(
      config.transformer_layers,
      file.IntPerBlock("transformer_layers_per_block", 1, 64, blocks, 1));
  ASSIGN_OR_RETURN(config.cross_attention_dim,
                   file.IntOr("cross_attention_dim", 1, 65536, 1280));
  ASSIGN_OR_RETURN(config.norm_num_groups,
                   file.IntOr("norm_num_groups", 1, 1024, 32));
  ASSIGN_OR_RETURN(config.norm_eps, file.PositiveOr("norm_eps", 1e-5));
  ASSIGN_OR_RETURN(config.use_linear_projection,
                   file.BoolOr("use_linear_projection", false));
  ASSIGN_OR_RETURN(config.flip_sin_to_cos,
                   file.BoolOr("flip_sin_to_cos", true));
  ASSIGN_OR_RETURN(config.freq_shift, file.FloatOr("freq_shift", 0));
  RETURN_IF_ERROR(CheckTimeEmbedding(file, config));
  RETURN_IF_ERROR(ReadAddedEmbedding(file, config));
  // Checks what group norm and attention divide.
  for (size_t i = 0; i < blocks; ++i) {
    // Is the width that all resnets and transformers of the level work at.
    const int64_t channels = config.block_out_channels[i];
    if (channels % config.norm_num_groups != 0) {
      return file.Error("block_out_channels", "multiples of norm_num_groups");
    }
    if (channels % config.attention_heads[i] != 0) {
      return file.Error(heads, "divisors of block_out_channels");
    }
  }
  return config;
}

}  // namespace tessera::model

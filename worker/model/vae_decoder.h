// From latents to pixels.
#ifndef TESSERA_WORKER_MODEL_VAE_DECODER_H_
#define TESSERA_WORKER_MODEL_VAE_DECODER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/conv.h"
#include "worker/model/layer_source.h"
#include "worker/model/layer_table.h"
#include "worker/model/linear.h"
#include "worker/model/norm.h"
#include "worker/model/pass.h"
#include "worker/model/resnet_block.h"
#include "worker/model/vae_config.h"

namespace tessera::model {

// One head of self-attention over all pixels, added to its input (diffusers'
// Attention with a group norm, as the VAE's middle block uses it).
struct VaeAttention {
  GroupNorm norm;
  Linear qkv;
  Linear out;

  static absl::StatusOr<VaeAttention> Load(const LayerSource& source,
                                           const std::string& name,
                                           int64_t channels, int64_t groups);
  // Updates x [N, H, W, C] in place.
  void Forward(const Pass& pass, const kernels::TensorView& x) const;
};

// The decoder of AutoencoderKL. Immutable; thread-safe.
class VaeDecoder {
 public:
  // Reads "post_quant_conv" where the config has it, and "decoder". Errors as
  // of WeightReader.
  static absl::StatusOr<VaeDecoder> Load(const WeightReader& reader,
                                         kernels::Device& device,
                                         const VaeConfig& config);

  // Decodes latents [N, h, w, latent_channels], already divided by the scaling
  // factor, into out [N, f h, f w, out_channels] f32 of nominally -1 to 1,
  // f = scale().
  void Forward(const Pass& pass, const kernels::TensorView& latents,
               const kernels::TensorView& out) const;

  // Pixels a latent in each direction: a power of two.
  int64_t scale() const { return int64_t{1} << num_upsamplers_; }
  int64_t out_channels() const { return conv_out_.outputs(); }

 private:
  // Some resnets, then an enlargement in all blocks but the last.
  struct UpBlock {
    std::vector<ResnetBlock> resnets;
    std::optional<Conv2d> upsampler;
  };

  static absl::StatusOr<UpBlock> LoadUpBlock(const LayerSource& source,
                                             const VaeConfig& config,
                                             size_t index, int64_t inputs);
  // Replaces `x` by its image under a resnet or an enlarged convolution.
  static void Apply(const Pass& pass, const ResnetBlock& resnet,
                    kernels::Scratch& x);
  static void Enlarge(const Pass& pass, const Conv2d& conv,
                      kernels::Scratch& x);

  // Absent in models that decode latents as they are.
  std::optional<Linear> post_quant_conv_;
  Conv2d conv_in_;
  ResnetBlock mid_first_;
  std::optional<VaeAttention> mid_attention_;
  ResnetBlock mid_last_;
  std::vector<UpBlock> up_blocks_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
  // Blocks that double the picture.
  int num_upsamplers_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_VAE_DECODER_H_

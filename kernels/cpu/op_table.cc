#include "kernels/cpu/op_table.h"

namespace tessera::kernels::cpu {

const OpTable& Ops() {
  // Refers to functions of this namespace; one table serves all CPU devices.
  static constexpr OpTable kOps = {
      .add = Add,
      .activate = Activate,
      .attention = Attention,
      .concat_channels = ConcatChannels,
      .conv2d = Conv2d,
      .copy = Copy,
      .geglu = Geglu,
      .gemm = Gemm,
      .group_norm = GroupNorm,
      .image_bytes = ImageBytes,
      .layer_norm = LayerNorm,
      .lora_gemm = LoraGemm,
      .resize_nearest = ResizeNearest,
      .sampler_step = SamplerStep,
      .scale_rows = ScaleRows,
      .timestep_embedding = TimestepEmbedding,
      .token_embedding = TokenEmbedding,
      .pack_weights = PackWeights,
      .unpack_weights = UnpackWeights,
  };
  return kOps;
}

}  // namespace tessera::kernels::cpu

#include "kernels/cuda/op_table.h"

#include "kernels/row_major_weights.h"

namespace tessera::kernels::cuda {

const OpTable& Ops() {
  // Refers to functions of this namespace but for the layout of weights, which
  // is that of every device with memory of its own.
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
      .pack_weights = PackRowMajor,
      .unpack_weights = UnpackRowMajor,
  };
  return kOps;
}

}  // namespace tessera::kernels::cuda

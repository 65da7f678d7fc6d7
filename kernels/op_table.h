// One function a backend provides for every op.
#ifndef TESSERA_KERNELS_OP_TABLE_H_
#define TESSERA_KERNELS_OP_TABLE_H_

namespace tessera::kernels {

class Stream;
struct AttentionArgs;
struct ConcatArgs;
struct Conv2dArgs;
struct ElementwiseArgs;
struct GegluArgs;
struct GemmArgs;
struct GroupNormArgs;
struct ImageBytesArgs;
struct LayerNormArgs;
struct LoraGemmArgs;
struct SamplerStepArgs;
struct TimestepEmbeddingArgs;
struct TokenEmbeddingArgs;
struct UpsampleArgs;

// References, not pointers: a backend that forgets an op does not compile.
// Arguments were validated by kernels/ops; `stream` is running.
struct OpTable {
  void (&attention)(Stream&, const AttentionArgs&);
  void (&concat)(Stream&, const ConcatArgs&);
  void (&conv2d)(Stream&, const Conv2dArgs&);
  void (&elementwise)(Stream&, const ElementwiseArgs&);
  void (&geglu)(Stream&, const GegluArgs&);
  void (&gemm)(Stream&, const GemmArgs&);
  void (&group_norm)(Stream&, const GroupNormArgs&);
  void (&image_bytes)(Stream&, const ImageBytesArgs&);
  void (&layer_norm)(Stream&, const LayerNormArgs&);
  void (&lora_gemm)(Stream&, const LoraGemmArgs&);
  void (&sampler_step)(Stream&, const SamplerStepArgs&);
  void (&timestep_embedding)(Stream&, const TimestepEmbeddingArgs&);
  void (&token_embedding)(Stream&, const TokenEmbeddingArgs&);
  void (&upsample)(Stream&, const UpsampleArgs&);
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OP_TABLE_H_

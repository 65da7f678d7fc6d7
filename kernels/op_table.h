// What a backend implements: one function reference an op.
#ifndef TESSERA_KERNELS_OP_TABLE_H_
#define TESSERA_KERNELS_OP_TABLE_H_

#include "kernels/ops/attention.h"
#include "kernels/ops/concat.h"
#include "kernels/ops/conv2d.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/elementwise.h"
#include "kernels/ops/embedding.h"
#include "kernels/ops/geglu.h"
#include "kernels/ops/gemm.h"
#include "kernels/ops/group_norm.h"
#include "kernels/ops/image_bytes.h"
#include "kernels/ops/layer_norm.h"
#include "kernels/ops/lora_gemm.h"
#include "kernels/ops/resample.h"
#include "kernels/ops/sampler_step.h"
#include "kernels/ops/scale_rows.h"
#include "kernels/packed_weights.h"
#include "kernels/stream.h"

namespace tessera::kernels {

// Operands lie with the device and are of the type that it computes in, where
// the op names no other type or place; sums are f32 or wider in any case.
//
// Filled by designated initialisers in one file a backend; a forgotten op
// does not compile. Entries are called with validated arguments, never while
// planning or after an error: call the functions of kernels/ops instead.
struct OpTable {
  void (&add)(Stream&, const AddArgs&);
  void (&activate)(Stream&, const ActivateArgs&);
  void (&attention)(Stream&, const AttentionArgs&);
  void (&concat_channels)(Stream&, const ConcatChannelsArgs&);
  void (&conv2d)(Stream&, const Conv2dArgs&);
  void (&copy)(Stream&, const CopyArgs&);
  void (&geglu)(Stream&, const GegluArgs&);
  void (&gemm)(Stream&, const GemmArgs&);
  void (&group_norm)(Stream&, const GroupNormArgs&);
  void (&image_bytes)(Stream&, const ImageBytesArgs&);
  void (&layer_norm)(Stream&, const LayerNormArgs&);
  void (&lora_gemm)(Stream&, const LoraGemmArgs&);
  void (&resize_nearest)(Stream&, const ResizeNearestArgs&);
  void (&sampler_step)(Stream&, const SamplerStepArgs&);
  void (&scale_rows)(Stream&, const ScaleRowsArgs&);
  void (&timestep_embedding)(Stream&, const TimestepEmbeddingArgs&);
  void (&token_embedding)(Stream&, const TokenEmbeddingArgs&);

  // Lay out a matrix as gemm and conv2d read it, and back as f32 on the host
  // in the checkpoint's order; `pack` is not given an empty matrix.
  absl::StatusOr<Tensor> (&pack_weights)(Device&, const WeightMatrix&);
  absl::StatusOr<Tensor> (&unpack_weights)(const PackedWeights&);
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OP_TABLE_H_

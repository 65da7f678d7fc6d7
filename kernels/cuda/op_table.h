// The CUDA backend's ops. Arguments are as kernels/ops documents them, already
// validated; each op queues its kernels and latches what a launch returns.
#ifndef TESSERA_KERNELS_CUDA_OP_TABLE_H_
#define TESSERA_KERNELS_CUDA_OP_TABLE_H_

#include "kernels/op_table.h"

namespace tessera::kernels::cuda {

void Add(Stream& stream, const AddArgs& args);
void Activate(Stream& stream, const ActivateArgs& args);
void Attention(Stream& stream, const AttentionArgs& args);
void ConcatChannels(Stream& stream, const ConcatChannelsArgs& args);
void Conv2d(Stream& stream, const Conv2dArgs& args);
void Copy(Stream& stream, const CopyArgs& args);
void Geglu(Stream& stream, const GegluArgs& args);
void Gemm(Stream& stream, const GemmArgs& args);
void GroupNorm(Stream& stream, const GroupNormArgs& args);
void ImageBytes(Stream& stream, const ImageBytesArgs& args);
void LayerNorm(Stream& stream, const LayerNormArgs& args);
void LoraGemm(Stream& stream, const LoraGemmArgs& args);
void ResizeNearest(Stream& stream, const ResizeNearestArgs& args);
void SamplerStep(Stream& stream, const SamplerStepArgs& args);
void ScaleRows(Stream& stream, const ScaleRowsArgs& args);
void TimestepEmbedding(Stream& stream, const TimestepEmbeddingArgs& args);
void TokenEmbedding(Stream& stream, const TokenEmbeddingArgs& args);

// The table of the functions above.
const OpTable& Ops();

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_OP_TABLE_H_

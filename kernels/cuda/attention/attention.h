// softmax(scale * q k') v, fused, head by head, in f16 or bf16.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_ATTENTION_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_ATTENTION_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// Runs the attention that PlanAttention chooses for the current device.
//
// Sums, softmax and its statistics are f32; probabilities are rounded to the
// element type before they meet v. A row's bits depend on its own inputs, the
// number of keys and the head's size only. Nothing is done for no queries.
// Errors: cudaErrorInvalidValue for parameters that are not as AttentionParams
// says, else what the runtime returns.
cudaError_t LaunchAttention(const AttentionParams& params,
                            AttentionVariant variant, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_ATTENTION_H_

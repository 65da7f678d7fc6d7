// The launches of the mma.sync attention, by shape.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_MMA_ATTENTION_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_MMA_ATTENTION_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// Runs valid, aligned parameters with kMmaShapes[shape], whose head is no
// narrower. Errors: what the runtime returns, cudaErrorInvalidValue if there
// is no such shape.
cudaError_t LaunchMmaAttention(int shape, const AttentionParams& params,
                               cudaStream_t stream);

// The same for the shapes of one range of heads; they are compiled apart.
cudaError_t LaunchMmaAttentionTo64(int shape, const AttentionParams& params,
                                   cudaStream_t stream);
cudaError_t LaunchMmaAttentionTo96(int shape, const AttentionParams& params,
                                   cudaStream_t stream);
cudaError_t LaunchMmaAttentionTo160(int shape, const AttentionParams& params,
                                    cudaStream_t stream);
cudaError_t LaunchMmaAttentionTo512(int shape, const AttentionParams& params,
                                    cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_MMA_ATTENTION_H_

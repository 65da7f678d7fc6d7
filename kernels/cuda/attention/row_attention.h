// Attention without tensor cores, for heads and operands of any kind.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_ROW_ATTENTION_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_ROW_ATTENTION_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// Runs valid parameters in f32, two orders of magnitude slower than the tensor
// cores would. Errors: what the launch returns.
cudaError_t LaunchRowAttention(const AttentionParams& params,
                               cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_ROW_ATTENTION_H_

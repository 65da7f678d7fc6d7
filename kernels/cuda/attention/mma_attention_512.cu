#include "kernels/cuda/attention/mma_attention.h"
#include "kernels/cuda/attention/mma_kernel.cuh"

namespace tessera::kernels::cuda {

cudaError_t LaunchMmaAttentionTo512(int shape, const AttentionParams& params,
                                    cudaStream_t stream) {
  return LaunchOneOf<161, 512>(shape, params, stream);
}

}  // namespace tessera::kernels::cuda

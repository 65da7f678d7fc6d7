#include "kernels/cuda/attention/mma_attention.h"
#include "kernels/cuda/attention/mma_kernel.cuh"

namespace tessera::kernels::cuda {

cudaError_t LaunchMmaAttentionTo160(int shape, const AttentionParams& params,
                                    cudaStream_t stream) {
  return LaunchOneOf<97, 160>(shape, params, stream);
}

}  // namespace tessera::kernels::cuda

// The launch of the Hopper attention.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_ATTENTION_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_ATTENTION_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// Runs valid, aligned parameters with kHopperShapes[shape], whose head is no
// narrower, on a device of compute capability 9.0. Errors: what the runtime or
// the driver returns.
cudaError_t LaunchHopperAttention(int shape, const AttentionParams& params,
                                  cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_ATTENTION_H_

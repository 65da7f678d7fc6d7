// What the Hopper attention's kernel is launched with.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_PARAMS_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_PARAMS_H_

#include <cuda.h>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// Tensor maps of the operands, which the copy engine reads where the kernel's
// parameters lie, and the parameters for all else.
struct HopperParams {
  CUtensorMap q, k, v;
  AttentionParams attention;
};

static_assert(alignof(HopperParams) >= 64, "the copy engine's demand");

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_PARAMS_H_

// Guidance and one linear sampler update in one pass.
#ifndef TESSERA_KERNELS_CUDA_SAMPLER_STEP_H_
#define TESSERA_KERNELS_CUDA_SAMPLER_STEP_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// How one picture's latents move; see kernels/ops/sampler_step.h.
struct SamplerRow {
  int64_t cond = 0;     // row of model_output with the prompt
  int64_t uncond = -1;  // row with the negative prompt; -1: no guidance
  float guidance = 1;
  float x_scale = 1;
  float model_scale = 0;
  float extra_scale = 0;
};

// Rows of `row_elements` contiguous elements.
struct SamplerStepParams {
  const float* x = nullptr;            // [row_count, row_elements]
  const void* model_output = nullptr;  // [any, row_elements]
  DType model_dtype = DType::kF16;     // f32, f16 or bf16
  const float* extra = nullptr;        // [row_count, row_elements] or null
  // In device memory, `row_count` of them, so that a captured graph reads each
  // step's own coefficients.
  const SamplerRow* rows = nullptr;
  float* out = nullptr;  // [row_count, row_elements]; may be `x`
  int64_t row_count = 0;
  int64_t row_elements = 0;
};

// e = uncond + guidance * (cond - uncond), or cond without guidance;
// out = x_scale * x + model_scale * e + extra_scale * extra: the CPU's chain
// of fused multiply-adds, so equal inputs give equal bits. The caller vouches
// for the rows. Errors: what the launch returns; cudaErrorInvalidValue for no
// float dtype.
cudaError_t LaunchSamplerStep(const SamplerStepParams& params,
                              cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_SAMPLER_STEP_H_

// Guidance and one linear sampler update in one pass.
#ifndef TESSERA_KERNELS_OPS_SAMPLER_STEP_H_
#define TESSERA_KERNELS_OPS_SAMPLER_STEP_H_

#include <cstdint>
#include <optional>
#include <span>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// How one picture's latents move.
struct SamplerRow {
  int64_t cond = 0;     // row of model_output with the prompt
  int64_t uncond = -1;  // row with the negative prompt; -1: no guidance
  float guidance = 1;
  float x_scale = 1;  // the coefficients of the update below
  float model_scale = 0;
  float extra_scale = 0;
};

// The latents of a batch, what the model said, in the compute type, and each
// row's coefficients.
struct SamplerStepArgs {
  TensorView x;                      // f32 [rows, ...]
  TensorView model_output;           // [any, ...], same other extents
  std::optional<TensorView> extra;   // f32, shape of `x`
  std::span<const SamplerRow> rows;  // one a row of `x`
  TensorView out;                    // f32, shape of `x`; may be `x`
};

// e = uncond + guidance * (cond - uncond), or cond without guidance;
// out = x_scale * x + model_scale * e + extra_scale * extra. Any sampler whose
// update is linear is coefficients for this op. Errors: INVALID_ARGUMENT for
// shapes that do not fit or rows outside model_output.
void SamplerStep(Stream& stream, const SamplerStepArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_SAMPLER_STEP_H_

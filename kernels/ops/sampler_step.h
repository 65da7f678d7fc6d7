// Guidance and one sampler update in one pass.
#ifndef TESSERA_KERNELS_OPS_SAMPLER_STEP_H_
#define TESSERA_KERNELS_OPS_SAMPLER_STEP_H_

#include <cstdint>

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// How one picture takes a step: its rows in the UNet's output and the numbers
// of its sampler.
struct SamplerRow {
  int32_t conditional = 0;     // row of model_output for the prompt
  int32_t unconditional = -1;  // row for the negative prompt; -1: no guidance
  float guidance_scale = 1;
  float sample_scale = 1;  // a
  float output_scale = 0;  // b
};

// Arguments of SamplerStep.
struct SamplerStepArgs {
  TensorView model_output;           // [R, ...] f32
  const SamplerRow* rows = nullptr;  // [P]
  TensorView guided;                 // [P, ...] f32: the output after guidance
  TensorView latents;                // [P, ...] f32, updated in place
};

// For each picture p computes guided = u + g (c - u), and then
// latents = a latents + b guided (Ho and Salimans 2022, equation 6; a and b
// from the sampler). Latches INVALID_ARGUMENT if shapes disagree.
void SamplerStep(Stream& stream, const SamplerStepArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_SAMPLER_STEP_H_

// Samplers: how latents move from noise to a picture, step by step.
#ifndef TESSERA_WORKER_MODEL_SAMPLER_H_
#define TESSERA_WORKER_MODEL_SAMPLER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/sampler_config.h"

namespace tessera::model {

// What one step does, as numbers, so that unlike samplers can share a batch:
//
//   input   = input_scale · latents
//   latents = sample_scale · latents + output_scale · UNet(input, timestep)
struct SamplerStep {
  float timestep = 0;  // for the UNet's time embedding; may be fractional
  float input_scale = 1;
  float sample_scale = 1;
  float output_scale = 0;
};

// The steps of one picture. Every sampler offered here is deterministic and
// linear in latents and UNet output.
struct SamplerPlan {
  float init_noise_sigma = 1;  // unit noise times this starts the latents
  std::vector<SamplerStep> steps;
};

// Returns the short name ("ddim") for a short name, diffusers' class name or
// A1111's label. Errors: INVALID_ARGUMENT "sampler: …" listing those known.
absl::StatusOr<std::string> SamplerShortName(std::string_view name);

// Returns A1111's label of a short name, such as "DDIM".
std::string SamplerLabel(std::string_view short_name);

// Plans `num_steps` steps of the sampler `name`, or of the model's own if it
// is empty. Errors: INVALID_ARGUMENT for an unknown name or a number of steps
// that the noise schedule does not allow.
absl::StatusOr<SamplerPlan> PlanSampler(std::string_view name,
                                        const SamplerConfig& config,
                                        int num_steps);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_SAMPLER_H_

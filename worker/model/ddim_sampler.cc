#include "worker/model/ddim_sampler.h"

#include <cmath>

#include "worker/model/noise_schedule.h"

namespace tessera::model {

// Follows diffusers' DDIMScheduler with eta 0 (Song et al. 2021, equation 12):
// each step is linear in latents and output, and its two factors are computed
// here in double.
SamplerPlan PlanDdim(const SamplerConfig& config, int num_steps) {
  const std::vector<float> alphas = AlphasCumprod(config);
  // Takes the place of the alpha before the first training step.
  const double final_alpha = config.set_alpha_to_one ? 1.0 : alphas[0];
  const int64_t stride = config.num_train_timesteps / num_steps;
  SamplerPlan plan;
  // Goes from the noisiest step; DDIM's timesteps are whole numbers.
  for (const double t : SpacedTimesteps(config, num_steps, false)) {
    const auto timestep = static_cast<int64_t>(t);
    // Steps back by the stride even where the spacing is another, as diffusers
    // does.
    const int64_t previous = timestep - stride;
    const double alpha = alphas[static_cast<size_t>(timestep)];
    const double alpha_previous =
        previous >= 0 ? alphas[static_cast<size_t>(previous)] : final_alpha;
    // Splits x = signal x0 + noise e.
    const double signal = std::sqrt(alpha), noise = std::sqrt(1 - alpha);
    const double next_signal = std::sqrt(alpha_previous);
    const double next_noise = std::sqrt(1 - alpha_previous);
    SamplerStep step{.timestep = static_cast<float>(t)};
    if (config.prediction_type == PredictionType::kEpsilon) {
      // x0 = (x - noise e) / signal; x' = next_signal x0 + next_noise e
      step.sample_scale = static_cast<float>(next_signal / signal);
      step.output_scale =
          static_cast<float>(next_noise - next_signal * noise / signal);
    } else {
      // x0 = signal x - noise v; e = signal v + noise x
      step.sample_scale =
          static_cast<float>(next_signal * signal + next_noise * noise);
      step.output_scale =
          static_cast<float>(next_noise * signal - next_signal * noise);
    }
    plan.steps.push_back(step);
  }
  return plan;
}

}  // namespace tessera::model

#include "worker/model/euler_sampler.h"

#include <algorithm>
#include <cmath>

#include "worker/model/noise_schedule.h"

namespace tessera::model {
namespace {

// Returns the noise to signal ratio of every training timestep.
std::vector<float> TrainingSigmas(const SamplerConfig& config) {
  std::vector<float> alphas = AlphasCumprod(config);
  // Takes the last step near pure noise, which has no finite ratio, exactly as
  // diffusers does.
  if (config.rescale_betas_zero_snr) alphas.back() = 0x1p-24f;
  std::vector<float> sigmas;
  for (const float alpha : alphas) {
    sigmas.push_back(std::sqrt((1.0f - alpha) / alpha));
  }
  return sigmas;
}

// Interpolates linearly between whole timesteps, as numpy's interp; trailing
// spacing gives whole ones, linspace any.
double SigmaAt(const std::vector<float>& sigmas, double timestep) {
  const auto below = static_cast<size_t>(timestep);
  const size_t above = std::min(below + 1, sigmas.size() - 1);
  const double part = timestep - static_cast<double>(below);
  return sigmas[below] + part * (sigmas[above] - sigmas[below]);
}

}  // namespace

// Follows diffusers' EulerDiscreteScheduler without churn (the Euler step of
// Karras et al. 2022): x' = x + (x - x0) / sigma * dt.
SamplerPlan PlanEuler(const SamplerConfig& config, int num_steps) {
  const std::vector<float> training = TrainingSigmas(config);
  const std::vector<double> timesteps =
      SpacedTimesteps(config, num_steps, true);
  // Rounds each to f32, in which diffusers keeps them.
  std::vector<double> sigmas;
  for (const double t : timesteps) {
    sigmas.push_back(static_cast<float>(SigmaAt(training, t)));
  }
  // Ends at no noise: final_sigmas_type is "zero".
  sigmas.push_back(0.0);
  SamplerPlan plan;
  // Starts with noise of the variance that the spacing implies, as diffusers'
  // init_noise_sigma does.
  const double highest = *std::max_element(sigmas.begin(), sigmas.end());
  plan.init_noise_sigma =
      static_cast<float>(config.timestep_spacing == TimestepSpacing::kLeading
                             ? std::sqrt(highest * highest + 1)
                             : highest);
  for (size_t i = 0; i < timesteps.size(); ++i) {
    // Goes down, so `change` is negative.
    const double sigma = sigmas[i], change = sigmas[i + 1] - sigma;
    const double power = sigma * sigma + 1;
    // Divides the input by sqrt(sigma^2 + 1), to variance 1, which the UNet was
    // trained on; for epsilon (x - x0) / sigma is the output itself.
    SamplerStep step{.timestep = static_cast<float>(timesteps[i]),
                     .input_scale = static_cast<float>(1 / std::sqrt(power)),
                     .sample_scale = 1,
                     .output_scale = static_cast<float>(change)};
    if (config.prediction_type == PredictionType::kVPrediction) {
      // x0 = x / power - v sigma / sqrt(power); x' = x + (x - x0) / sigma · dt
      step.sample_scale =
          static_cast<float>(1 + change * (1 - 1 / power) / sigma);
      step.output_scale = static_cast<float>(change / std::sqrt(power));
    }
    plan.steps.push_back(step);
  }
  return plan;
}

}  // namespace tessera::model

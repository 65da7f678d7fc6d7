#include "worker/model/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tessera::model {
namespace {

// torch.linspace in f32: from both ends to the middle.
std::vector<float> Linspace(double from, double to, int64_t count) {
  const auto first = static_cast<float>(from), last = static_cast<float>(to);
  // Divides safely: the config's reader asks for at least two steps.
  const float step = (last - first) / static_cast<float>(count - 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    values[static_cast<size_t>(i)] =
        i < count / 2 ? first + step * static_cast<float>(i)
                      : last - step * static_cast<float>(count - 1 - i);
  }
  return values;
}

// Nichol and Dhariwal 2021, equation 17, in diffusers' betas_for_alpha_bar.
std::vector<float> SquaredCosine(int64_t count) {
  // Gives the signal's share at time t in [0, 1].
  const auto alpha_bar = [](double t) {
    const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  std::vector<float> betas;
  for (int64_t i = 0; i < count; ++i) {
    const double t1 = static_cast<double>(i) / static_cast<double>(count);
    const double t2 = static_cast<double>(i + 1) / static_cast<double>(count);
    // Caps as the paper does, to keep the last step finite.
    betas.push_back(static_cast<float>(
        std::min(1.0 - alpha_bar(t2) / alpha_bar(t1), 0.999)));
  }
  return betas;
}

// Returns the variance that each training step adds, as the config says.
std::vector<float> Betas(const SamplerConfig& config) {
  const int64_t count = config.num_train_timesteps;
  switch (config.beta_schedule) {
    case BetaSchedule::kLinear:
      return Linspace(config.beta_start, config.beta_end, count);
    case BetaSchedule::kSquaredCosine:
      return SquaredCosine(count);
    case BetaSchedule::kScaledLinear:
      break;
  }
  // Spaces the roots evenly, then squares: "scaled_linear", Stable Diffusion's
  // own schedule.
  std::vector<float> betas =
      Linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), count);
  for (float& beta : betas) beta *= beta;
  return betas;
}

// Shifts and scales so that the last step is pure noise (Lin et al. 2023,
// algorithm 1).
// Leaves the first value as it is; diffusers goes through betas and back, which
// rounds a little differently.
void RescaleToZeroSnr(std::vector<float>& alphas_cumprod) {
  const float first = std::sqrt(alphas_cumprod.front());
  const float last = std::sqrt(alphas_cumprod.back());
  for (float& value : alphas_cumprod) {
    const float root = (std::sqrt(value) - last) * (first / (first - last));
    value = root * root;
  }
}

}  // namespace

// Multiplies alpha = 1 - beta up to each step.
std::vector<float> AlphasCumprod(const SamplerConfig& config) {
  std::vector<float> values = Betas(config);
  double product = 1.0;  // torch's cumprod accumulates in double
  for (float& value : values) {
    product *= static_cast<double>(1.0f - value);
    value = static_cast<float>(product);
  }
  // Comes last, on the products, whose last becomes exactly 0.
  if (config.rescale_betas_zero_snr) RescaleToZeroSnr(values);
  return values;
}

// Follows numpy's expressions in diffusers' set_timesteps, noisiest first: how
// the stride is rounded decides which way a half goes.
std::vector<double> SpacedTimesteps(const SamplerConfig& config, int num_steps,
                                    bool fractional) {
  const auto train = static_cast<double>(config.num_train_timesteps);
  std::vector<double> steps;
  for (int i = num_steps - 1; i >= 0; --i) {
    switch (config.timestep_spacing) {
      // Takes multiples of a whole stride plus the offset; the noisiest
      // training step need not be among them.
      case TimestepSpacing::kLeading: {
        const int64_t ratio = config.num_train_timesteps / num_steps;
        steps.push_back(static_cast<double>(i * ratio + config.steps_offset));
        break;
      }
      // Counts down from the end by a fractional stride, rounded half to even.
      case TimestepSpacing::kTrailing: {
        // Rounds the stride as numpy's arange does: to the grid of `train`.
        const double stride = (train - train / num_steps) - train;
        const int k = num_steps - 1 - i;
        steps.push_back(std::nearbyint(train + k * stride) - 1);
        break;
      }
      // Spans all of training; a single step is timestep 0, as numpy has it.
      case TimestepSpacing::kLinspace: {
        const double stride =
            num_steps == 1 ? 0 : (train - 1) / (num_steps - 1);
        // Ends at the last step itself, whatever rounding makes of the product.
        const bool last = i > 0 && i == num_steps - 1;
        const double t = last ? train - 1 : i * stride;
        steps.push_back(fractional ? static_cast<double>(static_cast<float>(t))
                                   : std::nearbyint(t));
        break;
      }
    }
  }
  return steps;
}

}  // namespace tessera::model

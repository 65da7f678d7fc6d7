// How much noise each training timestep carries, and which steps are taken.
#ifndef TESSERA_WORKER_MODEL_NOISE_SCHEDULE_H_
#define TESSERA_WORKER_MODEL_NOISE_SCHEDULE_H_

#include <vector>

#include "worker/model/sampler_config.h"

namespace tessera::model {

// Returns the product of all alphas up to each training timestep, in f32 as
// diffusers keeps it (schedulers/scheduling_ddim.py).
std::vector<float> AlphasCumprod(const SamplerConfig& config);

// Returns `num_steps` training timesteps from the noisiest, spaced as the
// config says; whole numbers unless `fractional` and linspace, as Euler wants.
// `num_steps` is 1 to num_train_timesteps.
std::vector<double> SpacedTimesteps(const SamplerConfig& config, int num_steps,
                                    bool fractional);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_NOISE_SCHEDULE_H_

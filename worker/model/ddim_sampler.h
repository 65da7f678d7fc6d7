// DDIM (Song et al. 2021, equation 12 with eta 0), as in scheduling_ddim.py of
// diffusers.
#ifndef TESSERA_WORKER_MODEL_DDIM_SAMPLER_H_
#define TESSERA_WORKER_MODEL_DDIM_SAMPLER_H_

#include "worker/model/sampler.h"

namespace tessera::model {

// Plans the steps of Ddim; `num_steps` fits the schedule (see PlanSampler).
SamplerPlan PlanDdim(const SamplerConfig& config, int num_steps);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_DDIM_SAMPLER_H_

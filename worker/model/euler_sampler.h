// Euler (Karras et al. 2022, algorithm 2 without churn), as in
// scheduling_euler_discrete.py of diffusers.
#ifndef TESSERA_WORKER_MODEL_EULER_SAMPLER_H_
#define TESSERA_WORKER_MODEL_EULER_SAMPLER_H_

#include "worker/model/sampler.h"

namespace tessera::model {

// Plans the steps of Euler; `num_steps` fits the schedule (see PlanSampler).
SamplerPlan PlanEuler(const SamplerConfig& config, int num_steps);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_EULER_SAMPLER_H_

// The committed values of torch and of diffusers' schedulers.
#ifndef TESSERA_TESTS_UNIT_WORKER_DENOISING_SAMPLER_VALUES_H_
#define TESSERA_TESTS_UNIT_WORKER_DENOISING_SAMPLER_VALUES_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "worker/model/sampler_config.h"

namespace tessera::model {

// Returns a list of tests/golden/sampler_values.json. Fails the test and
// returns an empty list when it is not there.
nlohmann::json SamplerValues(const std::string& list);

// Returns the schedule that a case of the table names: "spacing", "betas",
// "prediction", "offset", "to_one", "rescale" and "train", each optional.
SamplerConfig ConfigOf(const nlohmann::json& table_case);

// Returns the noise schedule of Stable Diffusion 1.
SamplerConfig StableDiffusionConfig();

// Returns the f32 values of a field.
std::vector<float> FloatsOf(const nlohmann::json& values);

// Fails the test unless both have one size and no pair differs by more than
// `tolerance` times the largest value of `want`.
void ExpectNear(const std::vector<float>& got, const std::vector<float>& want,
                double tolerance, const std::string& what);

}  // namespace tessera::model

#endif  // TESSERA_TESTS_UNIT_WORKER_DENOISING_SAMPLER_VALUES_H_

// The noise schedule of a model, from scheduler/scheduler_config.json.
#ifndef TESSERA_WORKER_MODEL_SAMPLER_CONFIG_H_
#define TESSERA_WORKER_MODEL_SAMPLER_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "worker/model/config_file.h"

namespace tessera::model {

// How the noise of the training steps grows: evenly, evenly in its root, or so
// that the signal falls as a squared cosine.
enum class BetaSchedule { kLinear, kScaledLinear, kSquaredCosine };
// Which training steps a picture takes: multiples of a stride from the start,
// or from the end, or evenly with both ends.
enum class TimestepSpacing { kLeading, kTrailing, kLinspace };
// What the UNet predicts: the noise, or v = signal · noise - noise level · x0
// (Salimans and Ho 2022).
enum class PredictionType { kEpsilon, kVPrediction };

// What the samplers read of a diffusers scheduler config.
struct SamplerConfig {
  std::string sampler;  // short name of the model's own sampler
  // Steps of the training schedule; timesteps are below it.
  int64_t num_train_timesteps = 1000;
  // Noise of the first and of the last training step.
  double beta_start = 0.0001;
  double beta_end = 0.02;
  BetaSchedule beta_schedule = BetaSchedule::kLinear;
  TimestepSpacing timestep_spacing = TimestepSpacing::kLeading;
  // Added to every timestep of leading spacing.
  int64_t steps_offset = 0;
  PredictionType prediction_type = PredictionType::kEpsilon;
  // Whether DDIM's last step ends without noise.
  bool set_alpha_to_one = true;
  // Whether the last training step is pure noise.
  bool rescale_betas_zero_snr = false;
};

// Reads and checks a config. Absent fields take the defaults of the class that
// the config names, or of DDIM if this engine lacks that class. Errors:
// INVALID_ARGUMENT naming file and field, also for options not offered.
absl::StatusOr<SamplerConfig> ReadSamplerConfig(const ConfigFile& file);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_SAMPLER_CONFIG_H_

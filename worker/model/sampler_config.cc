#include "worker/model/sampler_config.h"

#include <vector>

#include "common/status_macros.h"
#include "worker/model/noise_schedule.h"
#include "worker/model/sampler.h"

namespace tessera::model {
namespace {

// Refuses options that would change pictures and that no sampler here has.
absl::Status CheckOptions(const ConfigFile& file) {
  for (const char* field : {"clip_sample", "thresholding", "use_karras_sigmas",
                            "use_exponential_sigmas", "use_beta_sigmas"}) {
    RETURN_IF_ERROR(file.ExpectBool(field, false));
  }
  RETURN_IF_ERROR(file.ExpectNull("trained_betas"));
  RETURN_IF_ERROR(file.ExpectString("interpolation_type", "linear"));
  RETURN_IF_ERROR(file.ExpectString("timestep_type", "discrete"));
  return file.ExpectString("final_sigmas_type", "zero");
}

// Reads the fields that name one of a few choices. Their defaults are those of
// the class, so `config.sampler` must be set.
absl::Status ReadChoices(const ConfigFile& file, SamplerConfig& config) {
  // Differs by class where the field is absent, as in diffusers.
  const std::string usual_spacing =
      config.sampler == "euler" ? "linspace" : "leading";
  ASSIGN_OR_RETURN(const std::string spacing,
                   file.StringOr("timestep_spacing", usual_spacing));
  if (spacing == "leading") {
    config.timestep_spacing = TimestepSpacing::kLeading;
  } else if (spacing == "trailing") {
    config.timestep_spacing = TimestepSpacing::kTrailing;
  } else if (spacing == "linspace") {
    config.timestep_spacing = TimestepSpacing::kLinspace;
  } else {
    return file.Error("timestep_spacing", "leading, trailing or linspace");
  }
  ASSIGN_OR_RETURN(const std::string schedule,
                   file.StringOr("beta_schedule", "linear"));
  if (schedule == "linear") {
    config.beta_schedule = BetaSchedule::kLinear;
  } else if (schedule == "scaled_linear") {
    config.beta_schedule = BetaSchedule::kScaledLinear;
  } else if (schedule == "squaredcos_cap_v2") {
    config.beta_schedule = BetaSchedule::kSquaredCosine;
  } else {
    return file.Error("beta_schedule",
                      "linear, scaled_linear or squaredcos_cap_v2");
  }
  ASSIGN_OR_RETURN(const std::string prediction,
                   file.StringOr("prediction_type", "epsilon"));
  if (prediction == "epsilon") {
    config.prediction_type = PredictionType::kEpsilon;
  } else if (prediction == "v_prediction") {
    config.prediction_type = PredictionType::kVPrediction;
  } else {
    return file.Error("prediction_type", "epsilon or v_prediction");
  }
  return absl::OkStatus();
}

// Refuses betas so small or so many that in f32 no noise is left at the start
// of training or no signal at its end: steps would divide by zero. A schedule
// that is rescaled ends without signal on purpose.
absl::Status CheckAlphas(const ConfigFile& file, SamplerConfig config) {
  config.rescale_betas_zero_snr = false;
  const std::vector<float> alphas = AlphasCumprod(config);
  if (alphas.front() >= 1) {
    return file.Error("beta_start", "a schedule that starts with some noise");
  }
  if (alphas.back() <= 0) {
    return file.Error("beta_end", "a schedule that ends with some signal");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SamplerConfig> ReadSamplerConfig(const ConfigFile& file) {
  RETURN_IF_ERROR(CheckOptions(file));
  SamplerConfig config;
  ASSIGN_OR_RETURN(const std::string class_name,
                   file.StringOr("_class_name", "DDIMScheduler"));
  // Refuses to guess: for this class diffusers clips where the field is absent,
  // which no Stable Diffusion model wants.
  if (class_name == "DDIMScheduler" && !file.Has("clip_sample")) {
    return file.Error("clip_sample",
                      "false (diffusers takes true where it is absent)");
  }
  // Falls back on DDIM for a class that this engine lacks: what matters of the
  // model's config is its noise schedule.
  const absl::StatusOr<std::string> own = SamplerShortName(class_name);
  config.sampler = own.ok() ? *own : "ddim";
  RETURN_IF_ERROR(ReadChoices(file, config));
  // Starts at two, for the schedule interpolates between both ends.
  ASSIGN_OR_RETURN(config.num_train_timesteps,
                   file.IntOr("num_train_timesteps", 2, 100'000, 1000));
  ASSIGN_OR_RETURN(config.beta_start, file.NumberOr("beta_start", 0.0001));
  ASSIGN_OR_RETURN(config.beta_end, file.NumberOr("beta_end", 0.02));
  if (config.beta_start <= 0 || config.beta_start >= 1) {
    return file.Error("beta_start", "a number between 0 and 1");
  }
  if (config.beta_end < config.beta_start || config.beta_end >= 1) {
    return file.Error("beta_end", "a number from beta_start to 1");
  }
  ASSIGN_OR_RETURN(config.steps_offset, file.IntOr("steps_offset", 0, 1000, 0));
  // Is of DDIM alone; Euler ends without noise in any case.
  ASSIGN_OR_RETURN(config.set_alpha_to_one,
                   file.BoolOr("set_alpha_to_one", true));
  // Makes the last training step pure noise (Lin et al. 2023).
  ASSIGN_OR_RETURN(config.rescale_betas_zero_snr,
                   file.BoolOr("rescale_betas_zero_snr", false));
  // At zero signal the noise alone says nothing of the picture: the first step
  // would divide by zero (Lin et al. 2023, section 3.2).
  if (config.rescale_betas_zero_snr &&
      config.prediction_type == PredictionType::kEpsilon) {
    return file.Error("rescale_betas_zero_snr",
                      "false for a model that predicts epsilon");
  }
  RETURN_IF_ERROR(CheckAlphas(file, config));
  return config;
}

}  // namespace tessera::model

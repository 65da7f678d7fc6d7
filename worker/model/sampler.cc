#include "worker/model/sampler.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/ddim_sampler.h"
#include "worker/model/euler_sampler.h"

namespace tessera::model {
namespace {

// Names a sampler in three ways and says which function plans it.
struct Entry {
  const char* short_name;
  const char* class_name;  // diffusers
  const char* label;       // A1111
  SamplerPlan (*plan)(const SamplerConfig&, int num_steps);
};

// A sampler is a file that plans its steps, and a line here.
constexpr Entry kSamplers[] = {
    {"ddim", "DDIMScheduler", "DDIM", PlanDdim},
    {"euler", "EulerDiscreteScheduler", "Euler", PlanEuler},
};

// Finds a sampler by any of its names; the error lists short names.
absl::StatusOr<const Entry*> Find(std::string_view name) {
  std::string known;
  for (const Entry& entry : kSamplers) {
    if (name == entry.short_name || name == entry.class_name ||
        name == entry.label) {
      return &entry;
    }
    absl::StrAppend(&known, known.empty() ? "" : ", ", entry.short_name);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "sampler: unknown name \"", std::string(name), "\", known: ", known));
}

}  // namespace

absl::StatusOr<std::string> SamplerShortName(std::string_view name) {
  ASSIGN_OR_RETURN(const Entry* entry, Find(name));
  return std::string(entry->short_name);
}

std::string SamplerLabel(std::string_view short_name) {
  // Returns an unknown name as it came: labels go into pictures' metadata.
  const absl::StatusOr<const Entry*> entry = Find(short_name);
  return entry.ok() ? (*entry)->label : std::string(short_name);
}

absl::StatusOr<SamplerPlan> PlanSampler(std::string_view name,
                                        const SamplerConfig& config,
                                        int num_steps) {
  // Falls back on the model's own sampler.
  ASSIGN_OR_RETURN(const Entry* entry,
                   Find(name.empty() ? config.sampler : name));
  // The noisiest leading step must exist in the schedule.
  const int64_t train = config.num_train_timesteps;
  const bool fits =
      num_steps >= 1 && num_steps <= train &&
      (config.timestep_spacing != TimestepSpacing::kLeading ||
       (num_steps - 1) * (train / num_steps) + config.steps_offset < train);
  if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_inference_steps: the model's noise schedule of ",
                     train, " steps does not allow ", num_steps));
  }
  // Relies on the checks above; the plans themselves check nothing.
  return entry->plan(config, num_steps);
}

}  // namespace tessera::model

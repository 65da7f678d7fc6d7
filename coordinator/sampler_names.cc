#include "coordinator/sampler_names.h"

namespace tessera::coordinator {
namespace {

struct SamplerName {
  std::string_view alias;
  std::string_view name;
};

constexpr SamplerName kSamplerNames[] = {
    {"ddim", "ddim"},   {"DDIMScheduler", "ddim"},
    {"DDIM", "ddim"},   {"euler", "euler"},
    {"Euler", "euler"}, {"EulerDiscreteScheduler", "euler"},
};

}  // namespace

std::optional<std::string_view> ResolveSampler(std::string_view name) {
  for (const SamplerName& known : kSamplerNames) {
    if (known.alias == name) return known.name;
  }
  return std::nullopt;
}

std::string_view SamplerChoices() { return "ddim, euler"; }

}  // namespace tessera::coordinator

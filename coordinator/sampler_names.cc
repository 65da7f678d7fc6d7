#include "coordinator/sampler_names.h"

namespace tessera::coordinator {
namespace {

// A name that users may give and the one that is stored and sent.
struct SamplerName {
  std::string_view alias;
  std::string_view name;
};

// Short names, the labels of A1111 and the class names of diffusers. Names
// differ in case only where their origin does, so they are compared exactly.
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

// The short ones alone: an error message is to teach these.
std::string_view SamplerChoices() { return "ddim, euler"; }

}  // namespace tessera::coordinator

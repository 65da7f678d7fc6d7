// The names under which users know the samplers.
#ifndef TESSERA_COORDINATOR_SAMPLER_NAMES_H_
#define TESSERA_COORDINATOR_SAMPLER_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

namespace tessera::coordinator {

// Returns the short name ("ddim", "euler") of the sampler that `name` means:
// a short name, a diffusers class name ("DDIMScheduler") or an A1111 label
// ("Euler"). Returns nothing for an unknown name.
std::optional<std::string_view> ResolveSampler(std::string_view name);

// Returns the short names for error messages, comma separated.
std::string_view SamplerChoices();

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SAMPLER_NAMES_H_

#include "coordinator/lora_resolver.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/field_rules.h"
#include "coordinator/lora_name.h"

namespace tessera::coordinator {

LoraResolver::LoraResolver(LoraLookup lookup) : lookup_(std::move(lookup)) {}

absl::Status LoraResolver::Resolve(
    const absl::flat_hash_set<std::string>& given, LoraUse& use) {
  // First, since the job says so: a registered LoRA of the same name is another
  // one.
  if (given.contains(use.name)) return absl::OkStatus();
  auto found = resolved_.find(use.name);
  if (found == resolved_.end()) {
    ASSIGN_OR_RETURN(const LoraName name, ParseLoraName(use.name));
    absl::StatusOr<std::string> sha256 = lookup_(name);
    // To the user the line is at fault, wherever the name was looked up.
    if (absl::IsNotFound(sha256.status())) {
      return absl::InvalidArgumentError(
          absl::StrCat("no LoRA named ", Quoted(use.name), " is registered"));
    }
    RETURN_IF_ERROR(sha256.status());
    // Only what exists is kept, so a file of wrong names costs no memory.
    found = resolved_.emplace(use.name, LoraPin{name.name, *sha256}).first;
  }
  // The digest says which version; one spelling of the name makes equal sets
  // equal.
  use.name = found->second.name;
  use.sha256 = found->second.sha256;
  return absl::OkStatus();
}

std::vector<LoraPin> LoraResolver::pins() const {
  // "ink" and "ink@sha256" may be the same version.
  std::set<LoraPin> pins;
  for (const auto& [name, pin] : resolved_) pins.insert(pin);
  return std::vector<LoraPin>(pins.begin(), pins.end());
}

}  // namespace tessera::coordinator

// The two ways to call a LoRA: "name" and "name@sha256".
#ifndef TESSERA_COORDINATOR_LORA_NAME_H_
#define TESSERA_COORDINATOR_LORA_NAME_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "coordinator/lora.h"

namespace tessera::coordinator {

// Returns the parts of "name" or "name@sha256". Errors: INVALID_ARGUMENT with
// the reason alone ("must be …, got …").
absl::StatusOr<LoraName> ParseLoraName(std::string_view text);

// Returns the text that ParseLoraName reads as `name`.
std::string LoraNameText(const LoraName& name);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LORA_NAME_H_

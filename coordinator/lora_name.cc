#include "coordinator/lora_name.h"

#include "absl/strings/str_cat.h"
#include "common/blob_store.h"
#include "common/status_macros.h"
#include "coordinator/field_rules.h"

namespace tessera::coordinator {

absl::StatusOr<LoraName> ParseLoraName(std::string_view text) {
  // Cut at the first '@', which no name may hold: whatever follows has to be a
  // digest, a second '@' included.
  const size_t at = text.find('@');
  LoraName name{.name = std::string(text.substr(0, at))};
  // The rule of model names: safe as a part of a path and in any list.
  RETURN_IF_ERROR(CheckName(name.name));
  if (at == text.npos) return name;
  name.sha256 = std::string(text.substr(at + 1));
  RETURN_IF_ERROR(CheckDigest(name.sha256));
  return name;
}

std::string LoraNameText(const LoraName& name) {
  return name.sha256.empty() ? name.name
                             : absl::StrCat(name.name, "@", name.sha256);
}

}  // namespace tessera::coordinator

#include "worker/lora/inspect.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/adapter_container.h"
#include "worker/lora/layer_adapter.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {
namespace {

// Inspects an opened file; its errors do not name the file.
absl::StatusOr<AdapterFacts> Inspect(const AdapterContainer& container) {
  ASSIGN_OR_RETURN(const GroupedFile file, GroupByLayer(container.index()));
  for (const LayerParts& layer : file.layers) {
    // Drops each adapter once read: one layer at a time is in memory.
    RETURN_IF_ERROR(ReadLayerAdapter(layer).status());
  }
  return AdapterFacts{
      .dialect = file.DialectText(),
      .layers = static_cast<int64_t>(file.layers.size()),
      .keys = file.keys,
      .unknown_keys = static_cast<int64_t>(file.unknown_keys.size())};
}

}  // namespace

absl::StatusOr<AdapterFacts> InspectAdapterFile(const std::string& path) {
  ASSIGN_OR_RETURN(const AdapterContainer container,
                   AdapterContainer::Open(path));
  // Adds the file to the error here, once for all that may go wrong.
  absl::StatusOr<AdapterFacts> facts = Inspect(container);
  if (facts.ok()) return facts;
  return absl::Status(
      facts.status().code(),
      absl::StrCat(path, ": ", std::string(facts.status().message())));
}

}  // namespace tessera::lora

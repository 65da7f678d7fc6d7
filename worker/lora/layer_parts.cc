#include "worker/lora/layer_parts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/peft_metadata.h"

namespace tessera::lora {
namespace {

// Notes the scales of PEFT's layers, which have no alpha of their own.
absl::Status AddPeftScales(const model::SafetensorsIndex& index,
                           std::vector<LayerParts>& layers) {
  ASSIGN_OR_RETURN(const PeftScales scales, PeftScales::Read(index.metadata()));
  for (LayerParts& layer : layers) {
    // Takes the rank from down, as ReadScale does.
    const auto down = layer.parts.find(Part::kDown);
    if (down == layer.parts.end() || down->second.view.shape.rank() == 0) {
      continue;
    }
    const int64_t lora_rank = down->second.view.shape[0];
    if (lora_rank == 0) continue;
    layer.scale_from_metadata =
        scales.ScaleOf(layer.net, layer.layer, lora_rank);
  }
  return absl::OkStatus();
}

// Refuses tensors that no op reads, such as an alpha of I64: without it the
// layer would be another. Where the key is of no dialect it is only unknown.
absl::Status CheckOtherTypes(const model::SafetensorsIndex& index,
                             GroupedFile& file) {
  for (const auto& [key, type] : index.others()) {
    ++file.keys;
    if (ParseAdapterKey(key).has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor is ", type, ", not F32, F16 or BF16: ", key));
    }
    file.unknown_keys.push_back(key);
  }
  return absl::OkStatus();
}

}  // namespace

std::string GroupedFile::DialectText() const {
  std::string text;
  for (const Dialect dialect : dialects) {
    absl::StrAppend(&text, text.empty() ? "" : ", ",
                    std::string(DialectName(dialect)));
  }
  return text;
}

absl::StatusOr<GroupedFile> GroupByLayer(const model::SafetensorsIndex& index) {
  GroupedFile file;
  std::map<std::pair<model::AdapterNet, std::string>, LayerParts> layers;
  for (const auto& [key, view] : index.tensors()) {
    ++file.keys;
    std::optional<AdapterKey> parsed = ParseAdapterKey(key);
    if (!parsed.has_value()) {
      file.unknown_keys.push_back(key);
      continue;
    }
    if (parsed->dialect.has_value()) file.dialects.insert(*parsed->dialect);
    // Groups by the flattened name: the halves of one layer may be of two
    // dialects, and then they are still one layer.
    LayerParts& layer = layers[{parsed->net, Flattened(parsed->layer)}];
    layer.net = parsed->net;
    // Prefers a spelling with dots, which the metadata's patterns have.
    if (layer.layer.empty() || parsed->layer.find('.') != std::string::npos) {
      layer.layer = std::move(parsed->layer);
    }
    // Finds a second key for the same tensor, whatever its spelling.
    const auto [at, added] =
        layer.parts.emplace(parsed->part, PartTensor{key, view});
    if (!added) {
      return absl::InvalidArgumentError(absl::StrCat(
          "two keys name the same tensor: ", at->second.key, " and ", key));
    }
  }
  RETURN_IF_ERROR(CheckOtherTypes(index, file));
  // Shows a key of the file: it tells what the file is instead.
  if (layers.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no key of a known LoRA dialect among ", file.keys,
        file.unknown_keys.empty()
            ? ""
            : absl::StrCat(", the first is ", file.unknown_keys.front())));
  }
  for (auto& [name, layer] : layers) file.layers.push_back(std::move(layer));
  RETURN_IF_ERROR(AddPeftScales(index, file.layers));
  // Some dotted files hold nothing that only one dialect writes.
  if (file.dialects.empty()) file.dialects.insert(Dialect::kDiffusers);
  return file;
}

}  // namespace tessera::lora

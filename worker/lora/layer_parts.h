// A LoRA file's tensors, grouped by the layer that they belong to.
#ifndef TESSERA_WORKER_LORA_LAYER_PARTS_H_
#define TESSERA_WORKER_LORA_LAYER_PARTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/lora/name_rules.h"
#include "worker/model/adapter_weights.h"
#include "worker/model/safetensors.h"

namespace tessera::lora {

// One tensor of a file. Borrows the file.
struct PartTensor {
  std::string key;
  kernels::TensorView view;
};

// All tensors of a file that name one layer of one net.
struct LayerParts {
  model::AdapterNet net = model::AdapterNet::kUNet;
  std::string layer;  // as one of its keys spells it
  std::map<Part, PartTensor> parts;
  // What scales the difference where no tensor says it: alpha / rank, from the
  // file's metadata.
  std::optional<double> scale_from_metadata;

  bool Has(Part part) const { return parts.count(part) > 0; }
};

// A file taken apart. Borrows the file.
struct GroupedFile {
  std::set<Dialect> dialects;
  std::vector<LayerParts> layers;         // by net and flattened name
  std::vector<std::string> unknown_keys;  // of no known dialect
  int64_t keys = 0;                       // all of them

  // Returns what the file's dialect is called; of a mixed file, all of them.
  std::string DialectText() const;
};

// Groups the tensors of a file. Errors: INVALID_ARGUMENT when two keys name
// the same tensor of a layer, whatever their dialects, when a tensor of a layer
// is of a type that no op reads, when no key is of a known dialect, and as of
// PeftScales::Read.
absl::StatusOr<GroupedFile> GroupByLayer(const model::SafetensorsIndex& index);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LAYER_PARTS_H_

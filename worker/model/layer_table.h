// The layers of a net that adapters may add to.
#ifndef TESSERA_WORKER_MODEL_LAYER_TABLE_H_
#define TESSERA_WORKER_MODEL_LAYER_TABLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace tessera::model {

// A linear layer or convolution: its name in the model file, without
// ".weight", and its shape [outputs, inputs, kernel, kernel].
struct LayerInfo {
  std::string name;
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t kernel = 1;
};

// Numbers the layers of one net in the order in which they load.
// Thread-compatible; immutable once the net is loaded.
class LayerTable {
 public:
  // Adds a layer and returns its number.
  int Add(LayerInfo layer);

  // Returns the number of the layer `name`, or -1. A leading "text_model." is
  // the same as none.
  int Find(std::string_view name) const;

  const std::vector<LayerInfo>& layers() const { return layers_; }

 private:
  std::vector<LayerInfo> layers_;
  absl::flat_hash_map<std::string, int> numbers_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_LAYER_TABLE_H_

// The layers of a net that adapters may change.
#ifndef TESSERA_WORKER_MODEL_LAYER_TABLE_H_
#define TESSERA_WORKER_MODEL_LAYER_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "kernels/packed_weights.h"
#include "kernels/tensor.h"

namespace tessera::model {

// The model's own weights of what runs as one op: a linear layer or several
// fused ones, a convolution, or a norm. Shared with the layer that runs them.
struct LayerWeights {
  std::shared_ptr<const kernels::PackedWeights> matrix;  // null: a norm
  std::shared_ptr<const kernels::Tensor> gain;  // of a norm, [channels]
  std::shared_ptr<const kernels::Tensor> bias;  // [outputs]; null: none
};

// A layer: its name in the model file, without ".weight", and its shape
// [outputs, inputs, kernel, kernel]. A norm has no inputs.
struct LayerInfo {
  std::string name;
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t kernel = 1;
  int slot = 0;              // of its weights in the table
  int64_t first_output = 0;  // of the layer among those of the slot

  bool is_norm() const { return inputs == 0; }
};

// Numbers the layers of one net, and the weights they run by, in the order in
// which they load. Thread-compatible; immutable once the net is loaded.
class LayerTable {
 public:
  // Adds the weights of one op and returns their slot.
  int AddWeights(LayerWeights weights);

  // Adds a layer of a slot and returns its number.
  int Add(LayerInfo layer);

  // Returns the number of the layer `name`, or -1. A leading "text_model." is
  // the same as none.
  int Find(std::string_view name) const;

  // Whether the net is a part of one, so that adapters may name layers that are
  // elsewhere; those are passed over.
  bool partial() const { return partial_; }
  void set_partial() { partial_ = true; }

  const std::vector<LayerInfo>& layers() const { return layers_; }
  const std::vector<LayerWeights>& weights() const { return weights_; }

 private:
  std::vector<LayerInfo> layers_;
  std::vector<LayerWeights> weights_;  // by slot
  absl::flat_hash_map<std::string, int> numbers_;
  bool partial_ = false;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_LAYER_TABLE_H_

// A LoRA's weights, parsed and packed.
#ifndef TESSERA_WORKER_MODEL_ADAPTER_WEIGHTS_H_
#define TESSERA_WORKER_MODEL_ADAPTER_WEIGHTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/packed_weights.h"
#include "worker/model/weight_change.h"

namespace tessera::model {

// The net whose layers an adapter names.
enum class AdapterNet { kUNet, kTextEncoder, kTextEncoder2 };

// What a low-rank adapter adds at one layer: scale · up(down(x)).
struct AdapterLayer {
  AdapterNet net = AdapterNet::kUNet;
  std::string
      name;  // as in the model file, such as "mid_block.resnets.0.conv1"
  kernels::PackedWeights down;  // [rank, inputs, kernel, kernel]
  kernels::PackedWeights up;    // [outputs, rank]
  float scale = 1;              // alpha / rank
};

// Which tensor of a layer changes.
enum class LayerTensor { kWeight, kBias };

// What an adapter of another kind changes at one layer.
struct LayerChange {
  AdapterNet net = AdapterNet::kUNet;
  std::string name;  // of the layer, as in the model file
  LayerTensor tensor = LayerTensor::kWeight;
  std::shared_ptr<const WeightChange> change;
};

// All layers of one LoRA file. Immutable once parsed; shared between requests.
struct AdapterWeights {
  std::string name;       // for messages
  std::string digest;     // hex SHA-256 of the file: what makes two LoRAs equal
  std::string unmatched;  // which keys fit no layer, for a person; or empty
  std::vector<AdapterLayer> layers;  // by net and name
  // By net, name and tensor. With any, the adapter cannot be applied row by
  // row: sets that hold it are merged into weights of their own, for which
  // `layers` counts too.
  std::vector<LayerChange> changes;

  // Whether rows of one batch may use it beside rows that do not.
  bool low_rank() const { return changes.empty(); }
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_ADAPTER_WEIGHTS_H_

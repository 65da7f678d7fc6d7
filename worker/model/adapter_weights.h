// A LoRA's weights, parsed and packed.
#ifndef TESSERA_WORKER_MODEL_ADAPTER_WEIGHTS_H_
#define TESSERA_WORKER_MODEL_ADAPTER_WEIGHTS_H_

#include <string>
#include <vector>

#include "kernels/packed_weights.h"

namespace tessera::model {

// The net whose layers an adapter names.
enum class AdapterNet { kUNet, kTextEncoder };

// What an adapter adds at one layer: scale · up(down(x)).
struct AdapterLayer {
  AdapterNet net = AdapterNet::kUNet;
  std::string
      name;  // as in the model file, such as "mid_block.resnets.0.conv1"
  kernels::PackedWeights down;  // [rank, inputs, kernel, kernel]
  kernels::PackedWeights up;    // [outputs, rank]
  float scale = 1;              // alpha / rank
};

// All layers of one LoRA file. Immutable once parsed; shared between requests.
struct AdapterWeights {
  std::string name;    // for messages
  std::string digest;  // hex SHA-256 of the file: what makes two LoRAs equal
  std::vector<AdapterLayer> layers;  // by net and name
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_ADAPTER_WEIGHTS_H_

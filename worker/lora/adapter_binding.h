// The adapters of single layers become those of a model.
#ifndef TESSERA_WORKER_LORA_ADAPTER_BINDING_H_
#define TESSERA_WORKER_LORA_ADAPTER_BINDING_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "kernels/device.h"
#include "worker/lora/adapter_report.h"
#include "worker/lora/base_model.h"
#include "worker/lora/layer_adapter.h"
#include "worker/lora/layer_parts.h"
#include "worker/lora/model_layers.h"
#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// Binds the layers of one file to those of one model, one after the other.
// What fits goes into the weights, what does not into the report.
// Thread-compatible. Borrows model and device.
class AdapterBinding {
 public:
  // `max_bytes` bounds the parsed adapter; 0: no bound.
  AdapterBinding(const ModelLayers& model, int64_t max_bytes,
                 kernels::Device& device);

  // Binds one layer of the file. Errors: those of ReadLayerAdapter,
  // INVALID_ARGUMENT when another layer of the file has the same place in the
  // model, and RESOURCE_EXHAUSTED beyond `max_bytes`.
  absl::Status Add(const LayerParts& layer);

  // Notes a key of no known dialect.
  void AddUnknown(const std::string& key);

  // Hands over what was bound: layers and changes by net and name, and the
  // counts. Ends the binding.
  model::AdapterWeights TakeWeights();
  AdapterReport TakeReport();

 private:
  absl::Status AddWeight(const ModelLayer& place, LayerAdapter adapter);
  absl::Status AddBias(const LayerParts& layer, const ModelLayer& place,
                       LayerAdapter& adapter);
  absl::Status AddLowRank(const ModelLayer& place,
                          const LowRankFactors& factors);
  absl::Status CountBytes(int64_t bytes);
  void Refuse(const LayerParts& layer, const std::string& why);

  const ModelLayers& model_;
  const int64_t max_bytes_;
  kernels::Device& device_;
  std::map<const ModelLayer*, std::string> bound_;  // and the file's name
  BaseModelEvidence evidence_;
  model::AdapterWeights weights_;
  AdapterReport report_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_BINDING_H_

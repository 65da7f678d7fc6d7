// The LoRAs that a worker can apply.
#ifndef TESSERA_WORKER_LORA_STORE_H_
#define TESSERA_WORKER_LORA_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/assignment.h"
#include "worker/lora/adapter_cache.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/cache_events.h"
#include "worker/lora/model_layers.h"
#include "worker/lora/node_cache.h"

namespace tessera::worker {

struct LoraStoreOptions {
  // Files by name, for LoRAs that a job names without a digest.
  std::map<std::string, std::string> files;
  // Parsed LoRAs kept in memory, and the largest that is accepted; at least 1.
  int64_t memory_bytes = 0;
};

// Gives LoRAs parsed and bound to a model: from memory, from the node's cache,
// or from the registry behind it. While somebody uses a LoRA of the registry,
// memory keeps it and no process of the node drops its file.
// Thread-compatible.
class LoraStore {
 public:
  using Weights = std::shared_ptr<const model::AdapterWeights>;
  // Reads the file at `path` for a model.
  using Parser = std::function<absl::StatusOr<lora::BoundAdapter>(
      const std::string& path, const lora::ModelLayers& model,
      const lora::AdapterOptions& options)>;

  // `node` is null for a worker that has only its own files; it and `events`,
  // which hear of the parsed LoRAs, must outlive the store.
  LoraStore(LoraStoreOptions options, Parser parser, lora::NodeCache* node,
            lora::CacheEvents& events);

  // Returns the LoRA for `model`, whatever its scale.
  //
  // Errors name the LoRA: NOT_FOUND for a name without digest that this worker
  // was not given, FAILED_PRECONDITION for a digest where there is no node
  // cache, DATA_LOSS for a file that changed while it was parsed, or those of
  // NodeCache::Open and of the parser.
  absl::StatusOr<Weights> Get(const LoraUse& use,
                              const lora::ModelLayers& model);

 private:
  absl::StatusOr<Weights> GetGiven(const LoraUse& use,
                                   const lora::ModelLayers& model);
  absl::StatusOr<Weights> GetRegistered(const LoraUse& use,
                                        const lora::ModelLayers& model);
  absl::StatusOr<Weights> Parse(const lora::AdapterKey& key,
                                const std::string& path,
                                const lora::ModelLayers& model);

  const LoraStoreOptions options_;
  const Parser parser_;
  lora::NodeCache* const node_;
  lora::CacheEvents& events_;
  lora::AdapterCache parsed_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_LORA_STORE_H_

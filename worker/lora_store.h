// The LoRAs that a worker can apply, by name.
#ifndef TESSERA_WORKER_LORA_STORE_H_
#define TESSERA_WORKER_LORA_STORE_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/lora/model_layers.h"
#include "worker/model/text_to_image.h"

namespace tessera::worker {

struct LoraStoreOptions {
  // Files by name; they come before the folder's.
  std::map<std::string, std::string> files;
  // A folder whose NAME.safetensors is the LoRA NAME; empty for none.
  std::string folder;
  // Parsed LoRAs kept in memory, measured by the size of their files.
  int64_t bytes = 0;
};

// Parses LoRA files when they are first used and keeps those used last. What
// running pictures use stays in memory whatever the bound. Thread-compatible.
class LoraStore {
 public:
  using Weights = std::shared_ptr<const model::AdapterWeights>;
  // Reads the file at `path` for a model.
  using Parser = std::function<absl::StatusOr<Weights>(
      const std::string& path, const lora::ModelLayers& model)>;

  LoraStore(LoraStoreOptions options, Parser parser);

  // Returns the weights of the LoRA `name` for `model`. NOT_FOUND for an
  // unknown name, or the parser's error.
  absl::StatusOr<Weights> Get(const std::string& name,
                              const lora::ModelLayers& model);

 private:
  // One parsed file and what it counts against the bound.
  struct Entry {
    std::string name;
    std::string model_dir;
    Weights weights;
    int64_t bytes = 0;
  };

  absl::StatusOr<std::string> Find(const std::string& name) const;
  void Evict();

  const LoraStoreOptions options_;
  const Parser parser_;
  std::list<Entry> entries_;  // the one used last is first
  // The sum of the entries' bytes.
  int64_t bytes_ = 0;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_LORA_STORE_H_

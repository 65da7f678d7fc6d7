// The folder of models that a worker can serve.
#ifndef TESSERA_WORKER_MODEL_STORE_H_
#define TESSERA_WORKER_MODEL_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/engine.h"

namespace tessera::worker {

// Returns the names, sorted, of the folders in `folder` that hold a
// model_index.json. NOT_FOUND when the folder is missing or holds no model.
absl::StatusOr<std::vector<std::string>> ListModels(const std::string& folder);

// Loads models when they are asked for and keeps the last one: a worker's
// memory is sized for one model, and shards of a job share theirs.
// Thread-compatible.
class ModelStore final : public EngineSource {
 public:
  // Loads the model `name` from the folder `path`.
  using Loader = std::function<absl::StatusOr<std::unique_ptr<Engine>>(
      const std::string& name, const std::string& path)>;

  // `names` are the models in `folder` that are served. `on_load` hears how
  // long each load took.
  ModelStore(std::string folder, std::vector<std::string> names, Loader loader,
             std::function<void(absl::Duration)> on_load);

  absl::StatusOr<Engine*> Get(const std::string& name) override;

  // Forgets the model that is loaded, for its memory.
  void Unload() { engine_.reset(); }

 private:
  const std::string folder_;
  // Sorted, to be searched by halves.
  const std::vector<std::string> names_;
  const Loader loader_;
  const std::function<void(absl::Duration)> on_load_;
  // Name of `engine_`; meaningless while there is none.
  std::string loaded_;
  // Null before the first load and after a failed one.
  std::unique_ptr<Engine> engine_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_MODEL_STORE_H_

#include "worker/model_store.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"

namespace tessera::worker {

absl::StatusOr<std::vector<std::string>> ListModels(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) {
    return absl::NotFoundError(absl::StrCat("cannot read folder of models ",
                                            folder, ": ", error.message()));
  }
  std::vector<std::string> names;
  // Steps with an error code: a folder may change while it is read.
  for (; entries != std::filesystem::directory_iterator();
       entries.increment(error)) {
    const std::filesystem::path& path = entries->path();
    std::error_code ignored;
    // Takes what has the index that diffusers writes at the root of a model.
    if (std::filesystem::is_regular_file(path / "model_index.json", ignored)) {
      names.push_back(path.filename().string());
    }
    // Keeps what was found so far.
    if (error) break;
  }
  if (names.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no model in folder (a subfolder with model_index.json): ", folder));
  }
  // Sorts, for Get searches by halves and logs should not depend on the disk.
  std::sort(names.begin(), names.end());
  return names;
}

ModelStore::ModelStore(std::string folder, std::vector<std::string> names,
                       Loader loader,
                       std::function<void(absl::Duration)> on_load)
    : folder_(std::move(folder)),
      names_(std::move(names)),
      loader_(std::move(loader)),
      on_load_(std::move(on_load)) {}

absl::StatusOr<Engine*> ModelStore::Get(const std::string& name) {
  if (engine_ != nullptr && loaded_ == name) return engine_.get();
  // Checks against the list: a name from a job never becomes a path of its own.
  if (!std::binary_search(names_.begin(), names_.end(), name)) {
    return absl::NotFoundError(
        absl::StrCat("this worker has no such model: ", name));
  }
  engine_.reset();  // before the next is read, so that one fits the memory
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(engine_, loader_(name, absl::StrCat(folder_, "/", name)));
  // Sets the name only after success; a failed load leaves no model, and the
  // next call tries again.
  loaded_ = name;
  const absl::Duration duration =
      absl::FromChrono(std::chrono::steady_clock::now() - start);
  on_load_(duration);
  // Tells the digest, by which pictures name their model.
  Log(Severity::kInfo, "model loaded",
      {{"model", name},
       {"digest", engine_->facts().digest},
       {"seconds", absl::ToDoubleSeconds(duration)}});
  return engine_.get();
}

}  // namespace tessera::worker

#include "worker/lora_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::worker {

LoraStore::LoraStore(LoraStoreOptions options, Parser parser)
    : options_(std::move(options)), parser_(std::move(parser)) {}

absl::StatusOr<LoraStore::Weights> LoraStore::Get(
    const std::string& name, const lora::ModelLayers& model) {
  // Searches the list: a worker keeps few LoRAs.
  const auto known =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.name == name && entry.model_dir == model.model_dir();
      });
  if (known != entries_.end()) {
    // Moves the entry to the front, where Evict comes last.
    entries_.splice(entries_.begin(), entries_, known);
    return known->weights;
  }
  // Reads on the executor's thread; the shard waits for it.
  ASSIGN_OR_RETURN(const std::string path, Find(name));
  ASSIGN_OR_RETURN(Weights weights, parser_(path, model));
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  // Counts a file whose size cannot be read as none: it was parsed a moment
  // ago.
  const int64_t bytes = error ? 0 : static_cast<int64_t>(size);
  entries_.push_front({name, model.model_dir(), weights, bytes});
  bytes_ += bytes;
  // May evict the one that was just added, if it alone exceeds the bound: the
  // caller holds it.
  Evict();
  return weights;
}

// Returns the file of a LoRA. Names come from jobs, so only plain file names
// are looked for in the folder.
absl::StatusOr<std::string> LoraStore::Find(const std::string& name) const {
  const auto file = options_.files.find(name);
  if (file != options_.files.end()) return file->second;
  const bool is_file_name =
      !name.empty() && name[0] != '.' && name.find('/') == std::string::npos;
  if (is_file_name && !options_.folder.empty()) {
    const std::string path =
        absl::StrCat(options_.folder, "/", name, ".safetensors");
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return absl::NotFoundError(
      absl::StrCat("this worker has no such LoRA: ", name));
}

// Drops those used longest ago; pictures that use them keep them alive.
void LoraStore::Evict() {
  while (bytes_ > options_.bytes && !entries_.empty()) {
    bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
}

}  // namespace tessera::worker

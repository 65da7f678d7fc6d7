#include "worker/lora_store.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/log.h"
#include "common/status_macros.h"

namespace tessera::worker {
namespace {

using lora::AdapterKey;
using lora::CachedFile;

// Keys shown in the log of a LoRA that does not fit whole.
constexpr int64_t kShownKeys = 3;

// A LoRA in use: what the pictures read, and the file kept on the node for
// those that come after them.
struct InUse {
  LoraStore::Weights weights;
  std::optional<CachedFile> file;
};

// Returns `weights` so that `file` is pinned for as long as anyone has them.
LoraStore::Weights Pin(LoraStore::Weights weights,
                       std::optional<CachedFile> file) {
  const auto in_use =
      std::make_shared<const InUse>(InUse{std::move(weights), std::move(file)});
  return {in_use, in_use->weights.get()};
}

// Adds the LoRA's name to what went wrong with it.
absl::Status Named(const LoraUse& use, const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat("LoRA ", use.name, ": ", std::string(status.message())));
}

}  // namespace

LoraStore::LoraStore(LoraStoreOptions options, Parser parser,
                     lora::NodeCache* node, lora::CacheEvents& events)
    : options_(std::move(options)),
      parser_(std::move(parser)),
      node_(node),
      events_(events),
      parsed_(options_.memory_bytes, events) {}

absl::StatusOr<LoraStore::Weights> LoraStore::Get(
    const LoraUse& use, const lora::ModelLayers& model) {
  // The digest says which file is meant; the name alone only means one that the
  // worker was given.
  absl::StatusOr<Weights> weights =
      use.sha256.empty() ? GetGiven(use, model) : GetRegistered(use, model);
  if (!weights.ok()) return Named(use, weights.status());
  return weights;
}

// Returns a LoRA of the worker's own files.
absl::StatusOr<LoraStore::Weights> LoraStore::GetGiven(
    const LoraUse& use, const lora::ModelLayers& model) {
  const auto file = options_.files.find(use.name);
  if (file == options_.files.end()) {
    return absl::NotFoundError("this worker was not given such a LoRA");
  }
  // The worker's own files do not change while it runs, so that the path says
  // which it is.
  const AdapterKey key{file->second, model.model_dir(), use.allow_unmatched};
  if (Weights weights = parsed_.Find(key)) return weights;
  return Parse(key, file->second, model);
}

// Returns a LoRA of the registry.
absl::StatusOr<LoraStore::Weights> LoraStore::GetRegistered(
    const LoraUse& use, const lora::ModelLayers& model) {
  if (node_ == nullptr) {
    return absl::FailedPreconditionError(
        "this worker has no --lora-cache for the registry's LoRAs");
  }
  const AdapterKey key{use.sha256, model.model_dir(), use.allow_unmatched};
  if (Weights weights = parsed_.Find(key)) {
    // The file may be gone: what is in memory is as good.
    return Pin(std::move(weights), node_->OpenTrusted(use.sha256));
  }
  // May wait for the network; the batch waits with it, unless the prefetcher
  // was faster.
  ASSIGN_OR_RETURN(CachedFile file, node_->Open(use.sha256));
  ASSIGN_OR_RETURN(Weights weights, Parse(key, file.path(), model));
  return Pin(std::move(weights), std::move(file));
}

// Parses a file and keeps what comes of it.
absl::StatusOr<LoraStore::Weights> LoraStore::Parse(
    const AdapterKey& key, const std::string& path,
    const lora::ModelLayers& model) {
  const auto start = std::chrono::steady_clock::now();
  // Takes the digest from the cache, which has just verified it: digesting
  // again would take as long as all the rest.
  const bool registered = key.file != path;
  ASSIGN_OR_RETURN(lora::BoundAdapter adapter,
                   parser_(path, model,
                           {.allow_unmatched = key.allow_unmatched,
                            .max_bytes = options_.memory_bytes,
                            .sha256 = registered ? key.file : ""}));
  if (registered && !node_->OpenTrusted(key.file).has_value()) {
    return absl::DataLossError("file changed while it was parsed");
  }
  // Said once a parse, however many pictures use it.
  if (!adapter.report.unmatched.empty()) {
    Log(Severity::kWarning, "LoRA applied without keys that do not fit",
        {{"report", lora::RenderReport(adapter.report, kShownKeys)}});
  }
  events_.OnLoad(absl::FromChrono(std::chrono::steady_clock::now() - start));
  parsed_.Insert(key, adapter.weights, adapter.report.bytes);
  return std::move(adapter.weights);
}

}  // namespace tessera::worker

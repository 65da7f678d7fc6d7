#include "worker/lora/adapter_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "worker/lora/adapter_binding.h"
#include "worker/lora/adapter_container.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {
namespace {

// Refuses a file whose tensors alone are beyond the budget, before any of them
// is read: in memory all are at least as large.
absl::Status CheckSize(const AdapterContainer& container, int64_t max_bytes) {
  if (max_bytes == 0) return absl::OkStatus();
  int64_t bytes = 0;
  for (const auto& [key, view] : container.index().tensors()) {
    bytes += view.bytes();
  }
  if (bytes <= max_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("adapter larger than the budget: ", bytes,
                   " bytes of tensors, at most ", max_bytes));
}

// Binds an opened file; its errors do not name the file.
absl::StatusOr<BoundAdapter> Bind(const AdapterContainer& container,
                                  const ModelLayers& model,
                                  const AdapterOptions& options,
                                  kernels::Device& device) {
  RETURN_IF_ERROR(CheckSize(container, options.max_bytes));
  ASSIGN_OR_RETURN(const GroupedFile file, GroupByLayer(container.index()));
  AdapterBinding binding(model, options.max_bytes, device);
  // Reads, checks and packs one layer after the other.
  for (const LayerParts& layer : file.layers) {
    RETURN_IF_ERROR(binding.Add(layer));
  }
  for (const std::string& key : file.unknown_keys) binding.AddUnknown(key);
  BoundAdapter bound;
  // Names the adapter by its file and tells it apart by its bytes.
  auto weights = std::make_shared<model::AdapterWeights>(binding.TakeWeights());
  weights->name = container.path();
  weights->digest =
      options.sha256.empty() ? Sha256Hex(container.bytes()) : options.sha256;
  bound.report = binding.TakeReport();
  bound.report.file = container.path();
  bound.report.dialect = file.DialectText();
  weights->unmatched = UnmatchedText(bound.report);
  bound.weights = std::move(weights);
  return bound;
}

}  // namespace

absl::StatusOr<BoundAdapter> BindAdapterFile(const std::string& path,
                                             const ModelLayers& model,
                                             const AdapterOptions& options,
                                             kernels::Device& device) {
  ASSIGN_OR_RETURN(const AdapterContainer container,
                   AdapterContainer::Open(path));
  // Adds the file to the error here, once for all that may go wrong.
  absl::StatusOr<BoundAdapter> bound = Bind(container, model, options, device);
  if (bound.ok()) return bound;
  return absl::Status(
      bound.status().code(),
      absl::StrCat(path, ": ", std::string(bound.status().message())));
}

absl::StatusOr<BoundAdapter> ReadAdapterFile(const std::string& path,
                                             const ModelLayers& model,
                                             const AdapterOptions& options,
                                             kernels::Device& device) {
  ASSIGN_OR_RETURN(BoundAdapter bound,
                   BindAdapterFile(path, model, options, device));
  // Refuses a file of which nothing fits even when some may be left over: it
  // would be a request for nothing.
  if (!options.allow_unmatched || bound.report.matched_keys == 0) {
    RETURN_IF_ERROR(VerdictOn(bound.report));
  }
  return bound;
}

}  // namespace tessera::lora

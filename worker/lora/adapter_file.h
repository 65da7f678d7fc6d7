// LoRA files become adapters.
#ifndef TESSERA_WORKER_LORA_ADAPTER_FILE_H_
#define TESSERA_WORKER_LORA_ADAPTER_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "worker/lora/adapter_report.h"
#include "worker/lora/model_layers.h"
#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// How a file is read.
struct AdapterOptions {
  // Takes what fits the model and leaves the rest to the report. Otherwise
  // every key must fit.
  bool allow_unmatched = false;
  // Bytes of the parsed adapter at most; 0: no bound.
  int64_t max_bytes = 0;
  // SHA-256 of the file in hex, where the caller has verified it; empty: it is
  // computed, which takes most of the time of a large file.
  std::string sha256;
};

// An adapter of one model, and what the file had besides.
struct BoundAdapter {
  std::shared_ptr<const model::AdapterWeights> weights;
  AdapterReport report;
};

// Reads a LoRA of any dialect and kind (docs/lora.md) and binds it to the
// layers of `model`: low-rank layers packed for rows, all else as changes. The
// same weights give the same adapter whatever the dialect.
//
// Errors name the file: NOT_FOUND; INVALID_ARGUMENT for a file that is no
// LoRA, is damaged, whose layers are not whole, or, unless it is allowed, with
// keys that do not fit the model (VerdictOn); also when no key fits at all.
// RESOURCE_EXHAUSTED for an adapter beyond `max_bytes`. Thread-safe.
absl::StatusOr<BoundAdapter> ReadAdapterFile(const std::string& path,
                                             const ModelLayers& model,
                                             const AdapterOptions& options,
                                             kernels::Device& device);

// Reads and binds what fits, even if it is nothing, and leaves the judgement
// to the caller, whatever the options allow. Errors: those of ReadAdapterFile
// but for the fit.
absl::StatusOr<BoundAdapter> BindAdapterFile(const std::string& path,
                                             const ModelLayers& model,
                                             const AdapterOptions& options,
                                             kernels::Device& device);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_FILE_H_

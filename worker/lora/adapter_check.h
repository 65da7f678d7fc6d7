// Whether a LoRA file fits a model folder, without running either.
#ifndef TESSERA_WORKER_LORA_ADAPTER_CHECK_H_
#define TESSERA_WORKER_LORA_ADAPTER_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "worker/lora/adapter_report.h"

namespace tessera::lora {

// Does all that a worker does with a LoRA before it applies it, and reports.
// VerdictOn(report) is the worker's answer. Errors: those of ModelLayers::Read
// and BindAdapterFile.
absl::StatusOr<AdapterReport> CheckAdapterFile(const std::string& path,
                                               const std::string& model_dir);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_CHECK_H_

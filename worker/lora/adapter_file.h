// LoRA files become adapters.
#ifndef TESSERA_WORKER_LORA_ADAPTER_FILE_H_
#define TESSERA_WORKER_LORA_ADAPTER_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// Reads a LoRA: low-rank linear layers and convolutions of the UNet and of the
// text encoder, in PEFT's, diffusers' or kohya's naming, any float type. A
// missing alpha means the rank (Hu et al. 2021, section 4.1). The model checks
// later that it has the layers, with those shapes.
//
// Errors: NOT_FOUND, or INVALID_ARGUMENT naming file and key: for a key of
// another kind of adapter, a layer without both halves, or ranks that disagree.
absl::StatusOr<std::shared_ptr<const model::AdapterWeights>> ReadAdapterFile(
    const std::string& path, kernels::Device& device);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_FILE_H_

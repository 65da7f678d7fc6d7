// The real engine: a TextToImage model with its continuous batch.
#ifndef TESSERA_WORKER_TEXT_TO_IMAGE_ENGINE_H_
#define TESSERA_WORKER_TEXT_TO_IMAGE_ENGINE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "worker/engine.h"
#include "worker/lora_store.h"

namespace tessera::worker {

// Loads the model `name` from the folder `path` for batches of up to `batch`
// pictures. `device` and `loras` must outlive the engine. Errors: as of
// TextToImage::Load.
absl::StatusOr<std::unique_ptr<Engine>> LoadTextToImageEngine(
    const std::string& name, const std::string& path, int batch,
    kernels::Device& device, LoraStore& loras);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_TEXT_TO_IMAGE_ENGINE_H_

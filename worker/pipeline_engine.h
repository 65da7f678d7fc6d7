// The engine of a pipeline's first rank.
#ifndef TESSERA_WORKER_PIPELINE_ENGINE_H_
#define TESSERA_WORKER_PIPELINE_ENGINE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "kernels/device.h"
#include "worker/engine.h"
#include "worker/lora_store.h"
#include "worker/pipeline/channel.h"
#include "worker/pipeline/schedule.h"
#include "worker/pipeline/stage_events.h"

namespace tessera::worker {

// Loads rank 0's part of the model `name` from the folder `path`; the batch
// holds about `batch` pictures. Its health is ABORTED, with the reason, once
// the pipeline failed. The engine owns the channel; `device`, `loras`,
// `events` and `clock` must outlive it. Errors: as of TextToImage::Load;
// INVALID_ARGUMENT for a layout that does not fit the model.
absl::StatusOr<std::unique_ptr<Engine>> LoadPipelineEngine(
    const std::string& name, const std::string& path, int batch,
    const pipeline::Layout& layout, std::shared_ptr<pipeline::Channel> channel,
    kernels::Device& device, LoraStore& loras, pipeline::StageEvents& events,
    Clock& clock);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_ENGINE_H_

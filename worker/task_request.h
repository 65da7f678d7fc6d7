// Tasks of a shard as a model's requests, and the model as their texts name it.
#ifndef TESSERA_WORKER_TASK_REQUEST_H_
#define TESSERA_WORKER_TASK_REQUEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/assignment.h"
#include "worker/generation_parameters.h"
#include "worker/lora/model_layers.h"
#include "worker/lora_store.h"
#include "worker/model/text_to_image.h"

namespace tessera::worker {

// Returns what pictures' texts say of a model that is called `name`.
ModelFacts MakeFacts(const std::string& name, const model::ModelFacts& facts);

// Resolves the names of a task's LoRAs to weights bound to `layers`, in the
// order of the task; a request shares them with the store. Errors: as of
// LoraStore::Get.
absl::StatusOr<model::ImageRequest> MakeRequest(const ImageTask& task,
                                                const lora::ModelLayers& layers,
                                                LoraStore& loras);

// Says which LoRAs of a request are applied in part; `request` was made of
// `task`.
std::vector<std::string> LoraWarnings(const ImageTask& task,
                                      const model::ImageRequest& request);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_TASK_REQUEST_H_

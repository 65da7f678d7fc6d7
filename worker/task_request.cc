#include "worker/task_request.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::worker {

ModelFacts MakeFacts(const std::string& name, const model::ModelFacts& facts) {
  return {name, facts.digest, facts.sampler, facts.default_width,
          facts.default_height};
}

absl::StatusOr<model::ImageRequest> MakeRequest(const ImageTask& task,
                                                const lora::ModelLayers& layers,
                                                LoraStore& loras) {
  model::ImageRequest request;
  request.prompt = task.prompt;
  request.negative_prompt = task.negative_prompt;
  request.seed = task.seed;
  request.num_inference_steps = task.num_inference_steps;
  request.guidance_scale = task.guidance_scale;
  request.sampler = task.sampler;
  request.width = task.width;
  request.height = task.height;
  for (const LoraUse& lora : task.loras) {
    ASSIGN_OR_RETURN(LoraStore::Weights weights, loras.Get(lora, layers));
    request.adapters.push_back({std::move(weights), lora.scale});
  }
  return request;
}

std::vector<std::string> LoraWarnings(const ImageTask& task,
                                      const model::ImageRequest& request) {
  std::vector<std::string> warnings;
  for (size_t i = 0; i < task.loras.size(); ++i) {
    const std::string& unmatched = request.adapters[i].weights->unmatched;
    if (unmatched.empty()) continue;
    warnings.push_back(absl::StrCat(
        "lora ", task.loras[i].name,
        ": applied without the keys that do not fit the model: ", unmatched));
  }
  return warnings;
}

}  // namespace tessera::worker

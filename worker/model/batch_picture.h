// The pictures of a batch.
#ifndef TESSERA_WORKER_MODEL_BATCH_PICTURE_H_
#define TESSERA_WORKER_MODEL_BATCH_PICTURE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "worker/model/adapter_set.h"
#include "worker/model/prompt_cache.h"
#include "worker/model/sampler.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

using SteadyTime = std::chrono::steady_clock::time_point;

// One picture on its way; its latents are the row of its place.
struct BatchPicture {
  int64_t ticket = 0;
  ImageRequest request;
  SamplerPlan plan;
  int step = 0;
  std::shared_ptr<const AdapterSet> adapters;
  std::shared_ptr<const EncodedPrompt> prompt;
  std::shared_ptr<const EncodedPrompt> negative;  // null: no guidance
  SteadyTime admitted;
};

// Returns the places of `pictures` in an order in which those that run by the
// same weights are neighbours: the model's own first, else as admitted.
std::vector<size_t> PlacesByWeights(const std::vector<BatchPicture>& pictures);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_BATCH_PICTURE_H_

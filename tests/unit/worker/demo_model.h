// The demo model of this repository, loaded once a suite.
#ifndef TESSERA_TESTS_UNIT_WORKER_DEMO_MODEL_H_
#define TESSERA_TESTS_UNIT_WORKER_DEMO_MODEL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// A device of some threads with the demo model on it.
struct DemoModel {
  explicit DemoModel(int threads)
      : device(kernels::CreateCpuDevice(threads).value()),
        model(TextToImage::Load(Folder(), *device).value()) {}

  static std::string Folder() {
    return std::string(TESSERA_SOURCE_DIR) + "/deploy/local/models/emoji-sd";
  }

  // Returns a LoRA of tests/golden/loras.
  std::shared_ptr<const AdapterWeights> Adapter(const std::string& file) const {
    return lora::ReadAdapterFile(
               std::string(TESSERA_SOURCE_DIR) + "/tests/golden/loras/" + file,
               lora::ModelLayers::Read(Folder()).value(), {}, *device)
        .value()
        .weights;
  }

  std::unique_ptr<kernels::Device> device;
  std::unique_ptr<TextToImage> model;
};

// Returns a small request: 64x64 pixels and three steps.
inline ImageRequest SmallRequest(std::string prompt, uint64_t seed) {
  return {.prompt = std::move(prompt),
          .seed = seed,
          .num_inference_steps = 3,
          .guidance_scale = 5,
          .sampler = "ddim",
          .width = 64,
          .height = 64};
}

// Steps until the batch is empty; returns what came out.
inline std::vector<Finished> RunToEnd(DenoiseBatch& batch) {
  std::vector<Finished> all;
  while (batch.size() > 0) {
    for (Finished& one : batch.Step()) all.push_back(std::move(one));
  }
  return all;
}

// Makes a picture on its own.
inline std::vector<uint8_t> Alone(const TextToImage& model,
                                  const ImageRequest& request) {
  DenoiseBatch batch(model, {.capacity = 1});
  if (!batch.Admit(1, request).ok()) return {};
  return RunToEnd(batch)[0].image.value().rgb;
}

}  // namespace tessera::model

#endif  // TESSERA_TESTS_UNIT_WORKER_DEMO_MODEL_H_

#include "worker/text_to_image_engine.h"

#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "worker/lora/model_layers.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/model_parts.h"
#include "worker/model/text_to_image.h"
#include "worker/task_request.h"

namespace tessera::worker {
namespace {

// Puts tasks of a shard into the model's batch and keeps what they borrow.
class TextToImageEngine final : public Engine {
 public:
  TextToImageEngine(const std::string& name,
                    std::unique_ptr<model::TextToImage> model,
                    lora::ModelLayers layers, int batch, LoraStore& loras)
      : model_(std::move(model)),
        layers_(std::move(layers)),
        batch_(*model_, {.capacity = batch}),
        loras_(loras),
        facts_(MakeFacts(name, model_->facts())) {}

  const ModelFacts& facts() const override { return facts_; }

  // Loads the task's LoRAs first, so that an unknown name leaves the batch
  // alone.
  absl::StatusOr<std::vector<std::string>> Admit(
      int64_t ticket, const ImageTask& task) override {
    ASSIGN_OR_RETURN(model::ImageRequest request,
                     MakeRequest(task, layers_, loras_));
    std::vector<std::string> warnings = LoraWarnings(task, request);
    RETURN_IF_ERROR(batch_.Admit(ticket, std::move(request)));
    return warnings;
  }

  std::vector<model::Finished> Step() override { return batch_.Step(); }

  void Remove(int64_t ticket) override { batch_.Remove(ticket); }

  absl::Status health() const override {
    return model_->parts().device.health();
  }

  model::StageSeconds seconds() const override { return batch_.seconds(); }

 private:
  const std::unique_ptr<model::TextToImage> model_;
  const lora::ModelLayers layers_;
  // Borrows the model, so it is declared after it.
  model::DenoiseBatch batch_;
  LoraStore& loras_;
  const ModelFacts facts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> LoadTextToImageEngine(
    const std::string& name, const std::string& path, int batch,
    kernels::Device& device, LoraStore& loras) {
  ASSIGN_OR_RETURN(std::unique_ptr<model::TextToImage> model,
                   model::TextToImage::Load(path, device));
  ASSIGN_OR_RETURN(lora::ModelLayers layers, lora::ModelLayers::Read(path));
  return std::make_unique<TextToImageEngine>(name, std::move(model),
                                             std::move(layers), batch, loras);
}

}  // namespace tessera::worker

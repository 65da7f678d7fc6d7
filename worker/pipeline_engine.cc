#include "worker/pipeline_engine.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "worker/lora/model_layers.h"
#include "worker/model/model_parts.h"
#include "worker/pipeline/pipeline_batch.h"
#include "worker/pipeline_ranges.h"
#include "worker/task_request.h"

namespace tessera::worker {
namespace {

// How long rank 0 waits for a micro-batch: far beyond what one takes, for the
// coordinator sees sooner that a member hangs.
constexpr absl::Duration kPatience = absl::Minutes(10);

// Puts tasks of a shard into the pipeline's batch.
class PipelineEngine final : public Engine {
 public:
  PipelineEngine(const std::string& name,
                 std::unique_ptr<model::TextToImage> model,
                 lora::ModelLayers layers, int batch,
                 const pipeline::Layout& layout,
                 std::shared_ptr<pipeline::Channel> channel, LoraStore& loras,
                 pipeline::StageEvents& events, Clock& clock)
      : model_(std::move(model)),
        layers_(std::move(layers)),
        channel_(std::move(channel)),
        loras_(loras),
        batch_(
            *model_,
            {.layout = layout,
             .pictures = PicturesOfMicroBatch(batch, layout.ranks),
             .patience = kPatience},
            *channel_,
            [this](const model::AdapterWeights& weights) {
              return Describe(weights);
            },
            clock),
        facts_(MakeFacts(name, model_->facts())) {}

  const ModelFacts& facts() const override { return facts_; }

  absl::StatusOr<std::vector<std::string>> Admit(
      int64_t ticket, const ImageTask& task) override {
    ASSIGN_OR_RETURN(model::ImageRequest request,
                     MakeRequest(task, layers_, loras_));
    std::vector<std::string> warnings = LoraWarnings(task, request);
    // Remembers how a LoRA was found, for the other ranks to find it.
    for (size_t i = 0; i < task.loras.size(); ++i) {
      uses_[request.adapters[i].weights->digest] = task.loras[i];
    }
    RETURN_IF_ERROR(batch_.Admit(ticket, std::move(request)));
    return warnings;
  }

  std::vector<model::Finished> Step() override { return batch_.Step(); }

  void Remove(int64_t ticket) override { batch_.Remove(ticket); }

  absl::Status health() const override {
    RETURN_IF_ERROR(model_->parts().device.health());
    const absl::Status status = batch_.status();
    if (status.ok()) return status;
    return absl::AbortedError(std::string(status.message()));
  }

  model::StageSeconds seconds() const override { return batch_.seconds(); }

  int capacity(int) const override { return batch_.capacity(); }

 private:
  pipeline::AdapterReference Describe(
      const model::AdapterWeights& weights) const {
    const LoraUse& use = uses_.at(weights.digest);
    return {.name = use.name,
            .sha256 = use.sha256,
            .digest = weights.digest,
            .allow_unmatched = use.allow_unmatched};
  }

  const std::unique_ptr<model::TextToImage> model_;
  const lora::ModelLayers layers_;
  const std::shared_ptr<pipeline::Channel> channel_;
  LoraStore& loras_;
  std::map<std::string, LoraUse> uses_;  // by digest
  // Borrows the above, so it is declared after it.
  pipeline::PipelineBatch batch_;
  const ModelFacts facts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> LoadPipelineEngine(
    const std::string& name, const std::string& path, int batch,
    const pipeline::Layout& layout, std::shared_ptr<pipeline::Channel> channel,
    kernels::Device& device, LoraStore& loras, pipeline::StageEvents& events,
    Clock& clock) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<model::TextToImage> model,
      model::TextToImage::LoadPieces(path, device, RangesOf(layout, 0)));
  RETURN_IF_ERROR(
      pipeline::CheckLayout(layout, model->parts().unet.pieces().size()));
  ASSIGN_OR_RETURN(lora::ModelLayers layers, lora::ModelLayers::Read(path));
  return std::make_unique<PipelineEngine>(
      name, std::move(model), std::move(layers), batch, layout,
      std::move(channel), loras, events, clock);
}

}  // namespace tessera::worker

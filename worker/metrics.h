// Every metric of the worker.
#ifndef TESSERA_WORKER_METRICS_H_
#define TESSERA_WORKER_METRICS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/metrics.h"
#include "worker/lora/cache_events.h"
#include "worker/pipeline/stage_events.h"

namespace tessera::worker {

// The LoRA files of the node, or the LoRAs that this worker has parsed.
enum class LoraTier { kDisk, kMemory };

// Counts what one worker does. Thread-safe.
class WorkerMetrics {
 public:
  // Declares the metrics in `registry`, which must outlive this.
  explicit WorkerMetrics(metrics::Registry& registry);

  // A task ended; `result` is "done" or the code of its failure.
  void CountImage(const std::string& result);
  // The UNet was called once for `images` pictures.
  void CountUNetCall(int images);
  // Adds to the seconds of a stage, such as "denoise"; negative ones count as
  // 0.
  void AddStageSeconds(std::string_view stage, double seconds);
  // A commit ended; `result` is a status code name.
  void CountCommit(const std::string& result);
  // Synchronize was not answered; a call that a drain ended does not count.
  void CountSynchronizeFailure();
  // A model was read and packed, which took `duration`.
  void ObserveModelLoad(absl::Duration duration);

  // Returns where a tier of the LoRA cache counts itself: "disk" or "memory".
  // Lives as long as this.
  lora::CacheEvents& lora_tier(LoraTier tier);

  // Returns where a stage of a pipeline counts its work. Lives as long as
  // this.
  pipeline::StageEvents& stage() { return pipeline_; }

 private:
  // The metrics of this worker's stage in pipelines.
  class PipelineMetrics final : public pipeline::StageEvents {
   public:
    explicit PipelineMetrics(metrics::Registry& registry);

    void OnVisit(const pipeline::Visit& visit, absl::Time begin,
                 absl::Time received, absl::Time end, int64_t bytes) override;

   private:
    prometheus::Counter& busy_;
    prometheus::Counter& idle_;
    prometheus::Counter& bytes_;
  };

  // The metrics of one tier of the LoRA cache.
  class LoraTierMetrics final : public lora::CacheEvents {
   public:
    LoraTierMetrics(metrics::Registry& registry, const std::string& tier);

    void OnHit() override;
    void OnMiss() override;
    void OnEviction() override;
    void OnBytes(int64_t bytes) override;
    void OnLoad(absl::Duration duration) override;

   private:
    prometheus::Counter& hits_;
    prometheus::Counter& misses_;
    prometheus::Counter& evictions_;
    prometheus::Gauge& bytes_;
    prometheus::Histogram& load_;
  };

  prometheus::Family<prometheus::Counter>& images_;
  prometheus::Counter& unet_calls_;
  prometheus::Histogram& batch_;
  prometheus::Family<prometheus::Counter>& stage_seconds_;
  prometheus::Family<prometheus::Counter>& commits_;
  prometheus::Counter& synchronize_failures_;
  prometheus::Histogram& model_load_;
  LoraTierMetrics lora_disk_;
  LoraTierMetrics lora_memory_;
  PipelineMetrics pipeline_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_METRICS_H_

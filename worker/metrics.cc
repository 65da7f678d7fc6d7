#include "worker/metrics.h"

#include <algorithm>

namespace tessera::worker {

WorkerMetrics::WorkerMetrics(metrics::Registry& registry)
    : images_(registry.Counter("tessera_worker_images_total",
                               "Pictures that ended, by result.")),
      unet_calls_(registry
                      .Counter("tessera_worker_unet_calls_total",
                               "Calls of the UNet, each for a whole batch.")
                      .Add({})),
      // Has buckets at the usual sizes of a batch; larger ones share the last.
      batch_(
          registry
              .Histogram("tessera_worker_batch_images",
                         "Pictures that went through the UNet together.")
              .Add({}, prometheus::Histogram::BucketBoundaries{1, 2, 3, 4, 6, 8,
                                                               12, 16, 32})),
      stage_seconds_(
          registry.Counter("tessera_worker_stage_seconds_total",
                           "Seconds spent making pictures, by stage.")),
      commits_(registry.Counter("tessera_worker_commits_total",
                                "Commits of results, by status code.")),
      synchronize_failures_(
          registry
              .Counter("tessera_worker_synchronize_failures_total",
                       "Calls of Synchronize that were not answered.")
              .Add({})),
      model_load_(registry
                      .Histogram("tessera_worker_model_load_seconds",
                                 "Seconds that loading a model took.")
                      .Add({}, metrics::WorkSeconds())),
      lora_disk_(registry, "disk"),
      lora_memory_(registry, "memory"),
      pipeline_(registry) {
  // Makes series exist from the start, so that rates see the first event.
  images_.Add({{"result", "done"}});
  commits_.Add({{"result", "OK"}});
  // Names every stage that an execution reports.
  for (const char* stage : {"text_encode", "denoise", "vae_decode",
                            "image_encode", "image_write"}) {
    stage_seconds_.Add({{"stage", stage}});
  }
}

void WorkerMetrics::CountImage(const std::string& result) {
  // Takes a label per code; codes are a closed set, so series stay few.
  images_.Add({{"result", result}}).Increment();
}

// Observes the pictures of a call, not its rows, of which guidance makes two.
void WorkerMetrics::CountUNetCall(int images) {
  unet_calls_.Increment();
  batch_.Observe(images);
}

void WorkerMetrics::AddStageSeconds(std::string_view stage, double seconds) {
  // Guards the counter, which must not go down, against a negative difference.
  stage_seconds_.Add({{"stage", std::string(stage)}})
      .Increment(std::max(0.0, seconds));
}

void WorkerMetrics::CountCommit(const std::string& result) {
  commits_.Add({{"result", result}}).Increment();
}

void WorkerMetrics::CountSynchronizeFailure() {
  synchronize_failures_.Increment();
}

void WorkerMetrics::ObserveModelLoad(absl::Duration duration) {
  model_load_.Observe(absl::ToDoubleSeconds(duration));
}

lora::CacheEvents& WorkerMetrics::lora_tier(LoraTier tier) {
  return tier == LoraTier::kDisk ? lora_disk_ : lora_memory_;
}

// A family declared again under its name is the one that is there, so that both
// tiers share each.
WorkerMetrics::LoraTierMetrics::LoraTierMetrics(metrics::Registry& registry,
                                                const std::string& tier)
    : hits_(registry
                .Counter("tessera_worker_lora_hits_total",
                         "LoRAs that were asked for and there, by tier.")
                .Add({{"tier", tier}})),
      misses_(registry
                  .Counter("tessera_worker_lora_misses_total",
                           "LoRAs that had to be fetched or parsed, by tier.")
                  .Add({{"tier", tier}})),
      evictions_(registry
                     .Counter("tessera_worker_lora_evictions_total",
                              "LoRAs dropped to make room, by tier.")
                     .Add({{"tier", tier}})),
      bytes_(registry
                 .Gauge("tessera_worker_lora_bytes",
                        "Bytes of the LoRAs that are kept, by tier.")
                 .Add({{"tier", tier}})),
      load_(registry
                .Histogram("tessera_worker_lora_load_seconds",
                           "Seconds that fetching or parsing a LoRA took, by "
                           "tier.")
                .Add({{"tier", tier}}, metrics::CallSeconds())) {}

WorkerMetrics::PipelineMetrics::PipelineMetrics(metrics::Registry& registry)
    : busy_(registry
                .Counter("tessera_worker_pipeline_busy_seconds_total",
                         "Seconds in which this worker's stage computed.")
                .Add({})),
      idle_(registry
                .Counter("tessera_worker_pipeline_idle_seconds_total",
                         "Seconds in which this worker's stage waited for "
                         "another rank.")
                .Add({})),
      bytes_(registry
                 .Counter("tessera_worker_pipeline_sent_bytes_total",
                          "Bytes of tensors that this worker's stage sent to "
                          "other ranks.")
                 .Add({})) {}

// Guards the counters, which must not go down, against a clock that was set.
void WorkerMetrics::PipelineMetrics::OnVisit(const pipeline::Visit&,
                                             absl::Time begin,
                                             absl::Time received,
                                             absl::Time end, int64_t bytes) {
  idle_.Increment(std::max(0.0, absl::ToDoubleSeconds(received - begin)));
  busy_.Increment(std::max(0.0, absl::ToDoubleSeconds(end - received)));
  bytes_.Increment(static_cast<double>(bytes));
}

void WorkerMetrics::LoraTierMetrics::OnHit() { hits_.Increment(); }

void WorkerMetrics::LoraTierMetrics::OnMiss() { misses_.Increment(); }

void WorkerMetrics::LoraTierMetrics::OnEviction() { evictions_.Increment(); }

void WorkerMetrics::LoraTierMetrics::OnBytes(int64_t bytes) {
  bytes_.Set(static_cast<double>(bytes));
}

void WorkerMetrics::LoraTierMetrics::OnLoad(absl::Duration duration) {
  load_.Observe(absl::ToDoubleSeconds(duration));
}

}  // namespace tessera::worker

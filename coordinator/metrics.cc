#include "coordinator/metrics.h"

#include <algorithm>
#include <utility>

namespace tessera::coordinator {

// Declares every metric of the coordinator, so that totals are exposed with 0
// from the start and an alert never waits for the first event.
Metrics::Metrics(metrics::Registry& registry)
    : call_seconds_(registry.Histogram(
          "tessera_coordinator_call_seconds",
          "Seconds from the arrival of a remote call to its answer.")),
      transaction_seconds_(
          registry
              .Histogram("tessera_coordinator_store_transaction_seconds",
                         "Seconds from the begin to the end of a transaction "
                         "of the job store.")
              // The same buckets as for calls: a call is mostly the transaction
              // it waits for.
              .Add({}, metrics::CallSeconds())),
      assignments_(registry
                       .Counter("tessera_coordinator_assignments_total",
                                "Answers that gave a worker a shard.")
                       .Add({})),
      stale_commits_(
          registry
              .Counter("tessera_coordinator_stale_commits_total",
                       "Commits refused because their lease was over.")
              .Add({})),
      images_(registry.Counter("tessera_coordinator_images_total",
                               "Pictures that ended, by result.")),
      // Two series of one family; the labels are known, so they exist at once.
      images_done_(images_.Add({{"result", "done"}})),
      images_failed_(images_.Add({{"result", "failed"}})),
      leases_lost_(registry
                       .Counter("tessera_coordinator_leases_lost_total",
                                "Leases whose worker did not synchronize in "
                                "time.")
                       .Add({})),
      conflicts_(registry
                     .Counter("tessera_coordinator_digest_conflicts_total",
                              "Pictures made again with other bytes.")
                     .Add({})),
      groups_formed_(registry
                         .Counter("tessera_coordinator_pipeline_groups_total",
                                  "Pipeline groups whose members were all "
                                  "ready.")
                         .Add({})),
      groups_ended_(
          registry.Counter("tessera_coordinator_pipeline_groups_ended_total",
                           "Pipeline groups that ended, by reason.")),
      commits_(registry
                   .Counter("tessera_coordinator_commits_total",
                            "Commits of results that were accepted.")
                   .Add({})),
      jobs_(registry.Gauge("tessera_coordinator_jobs",
                           "Jobs that have not ended, by state.")),
      // Sealing jobs are shown apart: a disk that holds up the seals shows
      // here.
      jobs_active_(jobs_.Add({{"state", "active"}})),
      jobs_sealing_(jobs_.Add({{"state", "sealing"}})),
      shards_waiting_(registry
                          .Gauge("tessera_coordinator_waiting_shards",
                                 "Shards that could be leased now.")
                          .Add({})),
      images_waiting_(registry
                          .Gauge("tessera_coordinator_waiting_images",
                                 "Pictures of accepted jobs that have not "
                                 "ended, leased ones included.")
                          .Add({})),
      leases_(registry
                  .Gauge("tessera_coordinator_leases",
                         "Shards that workers execute now.")
                  .Add({})),
      workers_(registry
                   .Gauge("tessera_coordinator_workers",
                          "Workers that synchronize in time.")
                   .Add({})),
      loras_(registry
                 .Gauge("tessera_coordinator_loras",
                        "Names in the registry of LoRAs.")
                 .Add({})),
      lora_bytes_(registry
                      .Gauge("tessera_coordinator_lora_bytes",
                             "Bytes of the files in the registry of LoRAs.")
                      .Add({})),
      lora_pushes_(registry.Counter("tessera_coordinator_lora_pushes_total",
                                    "Uploads of LoRAs that ended, by "
                                    "result.")) {
  // Shown as 0 from the start: a counter that appears with its first event
  // hides that event from rates.
  for (const char* reason :
       {"done", "drained", "failed", "lost", "refused", "timeout"}) {
    groups_ended_.Add({{"reason", reason}});
  }
  for (const char* result : {"accepted", "refused", "interrupted"}) {
    lora_pushes_.Add({{"result", result}});
  }
}

void Metrics::ObserveCall(std::string_view method, absl::StatusCode code,
                          absl::Duration duration) {
  // Methods and codes are a small fixed set, so looking the series up by its
  // labels is cheap enough for every call.
  call_seconds_
      .Add({{"method", std::string(method)},
            {"code", absl::StatusCodeToString(code)}},
           metrics::CallSeconds())
      .Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::ObserveTransaction(absl::Duration duration) {
  transaction_seconds_.Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::CountAssignment() { assignments_.Increment(); }

void Metrics::CountStaleCommit() { stale_commits_.Increment(); }

void Metrics::CountLoraPush(absl::StatusCode code) {
  const char* result = "interrupted";
  if (code == absl::StatusCode::kOk) result = "accepted";
  if (code == absl::StatusCode::kInvalidArgument) result = "refused";
  lora_pushes_.Add({{"result", result}}).Increment();
}

void Metrics::Update(const CoordinatorStats& stats) {
  jobs_active_.Set(static_cast<double>(
      // Both numbers are of one instant; the bound only guards the subtraction.
      std::max<int64_t>(0, stats.jobs_active - stats.jobs_sealing)));
  jobs_sealing_.Set(static_cast<double>(stats.jobs_sealing));
  shards_waiting_.Set(static_cast<double>(stats.shards_waiting));
  images_waiting_.Set(static_cast<double>(stats.images_waiting));
  leases_.Set(static_cast<double>(stats.leases));
  workers_.Set(static_cast<double>(stats.workers));
  loras_.Set(static_cast<double>(stats.loras));
  lora_bytes_.Set(static_cast<double>(stats.lora_bytes));

  // Two updates may come at once: each shows what it adds to the one before.
  CoordinatorStats before;
  {
    absl::MutexLock lock(&mu_);
    before = std::exchange(shown_, stats);
  }
  const auto grow = [&](prometheus::Counter& counter,
                        int64_t CoordinatorStats::*total) {
    // Counters only grow. A total that shrank would be a mistake of ours, and
    // ignoring it keeps the graphs usable.
    const int64_t grown = stats.*total - before.*total;
    if (grown > 0) counter.Increment(static_cast<double>(grown));
  };
  grow(images_done_, &CoordinatorStats::images_done_total);
  grow(images_failed_, &CoordinatorStats::images_failed_total);
  grow(leases_lost_, &CoordinatorStats::leases_lost_total);
  grow(conflicts_, &CoordinatorStats::conflicts_total);
  grow(commits_, &CoordinatorStats::commits_total);
  grow(groups_formed_, &CoordinatorStats::groups_formed_total);
  for (const auto& [reason, total] : stats.groups_ended_total) {
    const int64_t grown = total - before.groups_ended_total[reason];
    if (grown > 0) {
      groups_ended_.Add({{"reason", reason}})
          .Increment(static_cast<double>(grown));
    }
  }
}

}  // namespace tessera::coordinator

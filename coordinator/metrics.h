// Every metric of the coordinator.
#ifndef TESSERA_COORDINATOR_METRICS_H_
#define TESSERA_COORDINATOR_METRICS_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/metrics.h"
#include "coordinator/coordinator_stats.h"

namespace tessera::coordinator {

// Declares the coordinator's metrics in a registry and moves them. Labels are
// bounded: methods, codes, states; never a job or a worker. Thread-safe.
class Metrics {
 public:
  // `registry` must outlive the metrics.
  explicit Metrics(metrics::Registry& registry);

  // Counts a remote call that was answered.
  void ObserveCall(std::string_view method, absl::StatusCode code,
                   absl::Duration duration);

  // Counts a transaction of the store.
  void ObserveTransaction(absl::Duration duration);

  // Counts an answer that gave a worker a shard.
  void CountAssignment();

  // Counts a commit that was refused because its lease is no longer valid.
  void CountStaleCommit();

  // Counts an upload of a LoRA that ended: accepted, refused for what it was,
  // or interrupted by whatever may pass.
  void CountLoraPush(absl::StatusCode code);

  // Shows the newest sizes, and adds what the totals grew by.
  void Update(const CoordinatorStats& stats);

 private:
  prometheus::Family<prometheus::Histogram>& call_seconds_;
  prometheus::Histogram& transaction_seconds_;
  prometheus::Counter& assignments_;
  prometheus::Counter& stale_commits_;
  prometheus::Family<prometheus::Counter>& images_;
  prometheus::Counter& images_done_;
  prometheus::Counter& images_failed_;
  prometheus::Counter& leases_lost_;
  prometheus::Counter& conflicts_;
  prometheus::Counter& groups_formed_;
  prometheus::Family<prometheus::Counter>& groups_ended_;
  prometheus::Counter& commits_;
  prometheus::Family<prometheus::Gauge>& jobs_;
  prometheus::Gauge& jobs_active_;
  prometheus::Gauge& jobs_sealing_;
  prometheus::Gauge& shards_waiting_;
  prometheus::Gauge& images_waiting_;
  prometheus::Gauge& leases_;
  prometheus::Gauge& workers_;
  prometheus::Gauge& loras_;
  prometheus::Gauge& lora_bytes_;
  prometheus::Family<prometheus::Counter>& lora_pushes_;

  absl::Mutex mu_;
  CoordinatorStats shown_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_METRICS_H_

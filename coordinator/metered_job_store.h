// Measures a store's transactions.
#ifndef TESSERA_COORDINATOR_METERED_JOB_STORE_H_
#define TESSERA_COORDINATOR_METERED_JOB_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "coordinator/metrics.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

// A decorator of JobStore that reports how long transactions take from Begin
// to the end of Commit. Thread-safe as the store is.
class MeteredJobStore final : public JobStore {
 public:
  // References must outlive the store.
  MeteredJobStore(JobStore& store, Clock& clock, Metrics& metrics);

  absl::StatusOr<std::unique_ptr<JobTransaction>> Begin() override;
  absl::StatusOr<std::vector<Job>> LoadJobs() const override;
  absl::StatusOr<std::vector<Shard>> LoadShards(
      const JobId& job) const override;
  absl::StatusOr<std::string> ReadPayload(const ShardId& shard) const override;
  absl::StatusOr<std::vector<TaskResult>> ReadResults(
      const ShardId& shard) const override;
  absl::StatusOr<int64_t> CountConflicts(const JobId& job) const override;
  absl::StatusOr<std::vector<Lora>> LoadLoras() const override;
  absl::StatusOr<std::vector<LoraPin>> LoadLoraPins(
      const JobId& job) const override;

 private:
  JobStore& store_;
  Clock& clock_;
  Metrics& metrics_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_METERED_JOB_STORE_H_

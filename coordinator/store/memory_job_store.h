// A job store that forgets: for tests and for `--store memory:`.
#ifndef TESSERA_COORDINATOR_STORE_MEMORY_JOB_STORE_H_
#define TESSERA_COORDINATOR_STORE_MEMORY_JOB_STORE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

// Keeps jobs as long as it lives. Thread-safe.
class MemoryJobStore final : public JobStore {
 public:
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
  class Transaction;

  struct StoredShard {
    Shard shard;
    std::string payload;
    std::map<int32_t, TaskResult> results;
  };

  struct StoredJob {
    Job job;
    std::map<int64_t, StoredShard> shards;
    int64_t conflicts = 0;
    std::set<LoraPin> pins;
  };

  const StoredShard* Find(const ShardId& shard) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  std::map<JobId, StoredJob> jobs_ ABSL_GUARDED_BY(mu_);
  std::map<LoraName, Lora> loras_ ABSL_GUARDED_BY(mu_);  // one a version
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_MEMORY_JOB_STORE_H_

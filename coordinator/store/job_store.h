// Where jobs survive a crash.
#ifndef TESSERA_COORDINATOR_STORE_JOB_STORE_H_
#define TESSERA_COORDINATOR_STORE_JOB_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "coordinator/job.h"
#include "coordinator/lora.h"

namespace tessera::coordinator {

// Changes that become durable together or not at all.
//
// Writes latch the first error, as a kernel stream does: later writes do
// nothing and Commit returns it. Destroying a transaction that was not
// committed undoes it. Thread-compatible; one transaction at a time.
class JobTransaction {
 public:
  virtual ~JobTransaction() = default;

  // Inserts or replaces the row of `job`. Shards are kept.
  virtual void PutJob(const Job& job) = 0;

  // Removes a job with its shards, results, conflicts and pins.
  virtual void DeleteJob(const JobId& job) = 0;

  // Stores a new shard with its payload.
  virtual void AddShard(const JobId& job, const Shard& shard,
                        const std::string& payload) = 0;

  // Replaces the progress of a shard; its payload is kept.
  virtual void PutShard(const JobId& job, const Shard& shard) = 0;

  // Stores the outcome of a task that has none yet.
  virtual void AddResult(const ShardId& shard, const TaskResult& result) = 0;

  // Records a picture that differs from the one stored for its task.
  virtual void AddConflict(const ShardId& shard, int64_t epoch,
                           const TaskResult& result) = 0;

  // Returns the outcome of a task, this transaction's included; nothing when
  // there is none or an error is latched.
  virtual std::optional<TaskResult> FindResult(const ShardId& shard,
                                               int32_t task) = 0;

  // Inserts or replaces the row of a version, which is known by name and
  // digest.
  virtual void PutLora(const Lora& lora) = 0;

  // Removes the row of a version; pins of it are kept.
  virtual void DeleteLora(const std::string& name,
                          const std::string& sha256) = 0;

  // Records that a job was promised a version. Repeating is harmless.
  virtual void PinLora(const JobId& job, const LoraPin& pin) = 0;

  // Makes the changes durable; when it returns OK they survive any crash.
  // Errors: the latched one; RESOURCE_EXHAUSTED when the disk is full,
  // UNAVAILABLE when the store is busy or cannot be reached, DATA_LOSS when
  // it is damaged. After an error nothing was changed.
  virtual absl::Status Commit() = 0;
};

// The durable truth about all jobs. Reads see committed changes only.
// Thread-safe; Begin must not be called while a transaction lives.
class JobStore {
 public:
  virtual ~JobStore() = default;

  virtual absl::StatusOr<std::unique_ptr<JobTransaction>> Begin() = 0;

  // Returns every job, oldest first.
  virtual absl::StatusOr<std::vector<Job>> LoadJobs() const = 0;

  // Returns the shards of a job in order of index; none for an unknown job.
  virtual absl::StatusOr<std::vector<Shard>> LoadShards(
      const JobId& job) const = 0;

  // Returns the payload of a shard. Errors: NOT_FOUND.
  virtual absl::StatusOr<std::string> ReadPayload(
      const ShardId& shard) const = 0;

  // Returns the outcomes of a shard in order of task.
  virtual absl::StatusOr<std::vector<TaskResult>> ReadResults(
      const ShardId& shard) const = 0;

  // Returns how many conflicting pictures were recorded for a job.
  virtual absl::StatusOr<int64_t> CountConflicts(const JobId& job) const = 0;

  // Returns every version of every LoRA, in order of number.
  virtual absl::StatusOr<std::vector<Lora>> LoadLoras() const = 0;

  // Returns the versions that a job was promised, by name and digest.
  virtual absl::StatusOr<std::vector<LoraPin>> LoadLoraPins(
      const JobId& job) const = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_JOB_STORE_H_

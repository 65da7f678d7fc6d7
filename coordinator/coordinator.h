// The coordinator's use cases: one method each, no wire format.
#ifndef TESSERA_COORDINATOR_COORDINATOR_H_
#define TESSERA_COORDINATOR_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/ids.h"
#include "coordinator/coordinator_options.h"
#include "coordinator/coordinator_stats.h"
#include "coordinator/job.h"
#include "coordinator/lora.h"
#include "coordinator/manifest.h"
#include "coordinator/store/job_store.h"
#include "coordinator/worker_protocol.h"

namespace tessera::coordinator {

// The answer of BeginJob.
struct BegunJob {
  JobId id;  // of the new job, or of `existing`
  // A job with the same request id: nothing was created, answer with it.
  std::optional<Job> existing;
};

// A page of jobs, newest first.
struct JobPage {
  std::vector<Job> jobs;
  int64_t next = 0;  // pass as `before` for the next page; 0: this was the last
};

// Finished pictures of whole shards, in order of shard.
struct ImagePage {
  std::vector<ImageRecord> images;
  int64_t next_shard = 0;  // where the next page starts; 0: this was the last
};

// A version of a LoRA as a client sees it.
struct LoraEntry {
  Lora lora;
  bool in_use = false;  // an unfinished job needs it
};

// A page of LoRAs: what each name means, in order of names.
struct LoraPage {
  std::vector<LoraEntry> loras;
  bool last = true;  // no name comes after these
};

class CoordinatorState;

// Takes jobs apart into leases and puts the results together.
//
// The store is the truth and memory an index of it. Calls that arrive together
// run one after the other inside one store transaction and are answered after
// its commit, so an answer is always durable and its fsync is shared. When a
// commit fails (disk full), every call of that batch gets the error and memory
// is read again from the store.
//
// All methods are thread-safe and may block on the store. Errors of the store:
// RESOURCE_EXHAUSTED when the disk is full, UNAVAILABLE, DATA_LOSS.
class Coordinator {
 public:
  // Opens the jobs of `store`: half-made ones are removed, leases get a fresh
  // full period so that running workers carry on. `on_work` is called, outside
  // of all locks, when shards became available to idle workers. References
  // must outlive the coordinator.
  static absl::StatusOr<std::unique_ptr<Coordinator>> Open(
      const CoordinatorOptions& options, Clock& clock, JobStore& store,
      const TaskReader& task_reader, std::function<void()> on_work);
  ~Coordinator();

  // --- Submitting ---

  // Creates a job in CREATING. Errors: INVALID_ARGUMENT when the output is no
  // absolute folder, is a file or cannot be written; FAILED_PRECONDITION when
  // it holds another job's manifest or another active job writes there.
  absl::StatusOr<BegunJob> BeginJob(const JobHeader& header);

  // Appends shards to a job in CREATING; all drafts become durable together.
  absl::Status AddShards(const JobId& job, std::vector<ShardDraft> drafts);

  // Makes the job eligible for workers. `lines` are the prompt lines accepted.
  // When another job got the same request id first, this one is dropped and
  // that one returned. Errors: INVALID_ARGUMENT without shards.
  absl::StatusOr<Job> FinishJob(const JobId& job, int64_t lines);

  // Drops a job in CREATING and everything stored for it. An unknown job is
  // fine. Errors: FAILED_PRECONDITION after FinishJob.
  absl::Status AbortJob(const JobId& job);

  // --- Following ---

  absl::StatusOr<Job> GetJob(const JobId& job);

  // Lists at most `limit` jobs created before the job numbered `before` (0:
  // from the newest).
  absl::StatusOr<JobPage> ListJobs(int64_t before, int64_t limit);

  // Stops a job: its leases end, unfinished pictures count as cancelled, and
  // the manifest is sealed. Repeating is harmless. Errors: NOT_FOUND;
  // FAILED_PRECONDITION while CREATING, or after it ended otherwise.
  absl::StatusOr<Job> CancelJob(const JobId& job);

  // Lists the finished pictures of shards from `first_shard` on until at least
  // `limit` are found.
  absl::StatusOr<ImagePage> ListImages(const JobId& job, int64_t first_shard,
                                       int64_t limit);

  absl::StatusOr<std::vector<Worker>> ListWorkers();
  absl::StatusOr<CoordinatorStats> Stats();

  // --- LoRAs; their files are LoraLibrary's ---

  // Makes `lora`, whose bytes are durable, what its name means from now on; see
  // LoraRegistry::Put.
  absl::StatusOr<LoraEntry> PutLora(const Lora& lora);

  // Returns the version that a name means. Errors: NOT_FOUND.
  absl::StatusOr<LoraEntry> GetLora(const LoraName& name);

  // Returns any version that has this file, or nothing.
  absl::StatusOr<std::optional<Lora>> FindLoraFile(const std::string& sha256);

  // Lists at most `limit` names that come after the name `after`.
  absl::StatusOr<LoraPage> ListLoras(const std::string& after, int64_t limit);

  // Forgets a name with all its versions, or one version of it, and returns the
  // digests of files that no name needs any more. Errors: NOT_FOUND;
  // FAILED_PRECONDITION while an unfinished job uses it.
  absl::StatusOr<std::vector<std::string>> DeleteLora(const LoraName& name);

  // Promises versions to a job in CREATING: none of them can be deleted until
  // it has ended. Errors: ABORTED when one was deleted since it was looked up.
  absl::Status PinLoras(const JobId& job, const std::vector<LoraPin>& pins);

  // --- Workers ---

  // Tells a worker what to do; grants and renews leases. Idempotent. A shard
  // whose payload is damaged fails instead of being granted. Errors: that of
  // the store for a payload that cannot be read just now; its shard goes back
  // to the queue.
  absl::StatusOr<SynchronizeReply> Synchronize(
      const SynchronizeRequest& request);

  // Stores finished tasks; returns those that were already finished with
  // another digest. Errors: ABORTED when the lease is no longer valid,
  // INVALID_ARGUMENT for a task or path that cannot be.
  absl::StatusOr<std::vector<int32_t>> CommitResults(
      const CommitRequest& request);

  // --- Housekeeping; call each about once a second ---

  // Takes lost leases back. Returns whether shards became available.
  absl::StatusOr<bool> Tick();

  // Writes the manifests of jobs whose pictures all ended, outside of all
  // locks; may take long. A seal that fails leaves the job SEALING with a
  // message and is tried again after a growing delay. Returns how many jobs
  // were sealed. Not to be called concurrently with itself.
  absl::StatusOr<int64_t> SealDue();

 private:
  explicit Coordinator(std::unique_ptr<CoordinatorState> state);

  std::unique_ptr<CoordinatorState> state_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_COORDINATOR_H_

// What a coordinator knows and the parts that change it.
#ifndef TESSERA_COORDINATOR_COORDINATOR_STATE_H_
#define TESSERA_COORDINATOR_COORDINATOR_STATE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/storage/output_store.h"
#include "coordinator/coordinator_options.h"
#include "coordinator/coordinator_stats.h"
#include "coordinator/dispatcher.h"
#include "coordinator/group_commit.h"
#include "coordinator/job_table.h"
#include "coordinator/lease_table.h"
#include "coordinator/lora_registry.h"
#include "coordinator/manifest.h"
#include "coordinator/pipeline/groups.h"
#include "coordinator/seal_queue.h"
#include "coordinator/store/job_store.h"
#include "coordinator/worker_registry.h"

namespace tessera::coordinator {

// Holds the tables together. Everything but the constants is touched by
// commands only, which `commands` runs one at a time; every method
// that does not say so is to be called from a command, or before there are any.
class CoordinatorState {
 public:
  // References must outlive the state.
  CoordinatorState(const CoordinatorOptions& coordinator_options,
                   Clock& coordinator_clock, JobStore& job_store,
                   const TaskReader& reader,
                   std::function<void()> work_listener);

  // Reads the tables anew from the store; leases get a fresh full period.
  absl::Status Load();

  // Runs `command`, and tells the listener when it made shards available.
  // Returns whether it did. Thread-safe.
  absl::StatusOr<bool> RunAndTell(GroupCommit::Command command);

  // Returns the job as a client sees it: with its rate, and with what it waits
  // for.
  Job Describe(const JobEntry& entry) const;

  std::string DescribeWait(const JobHeader& job, absl::Time now) const;

  // Returns the job. Errors: NOT_FOUND.
  absl::StatusOr<JobEntry*> FindJob(const JobId& id);

  // As FindJob. Errors: also FAILED_PRECONDITION once it left CREATING.
  absl::StatusOr<JobEntry*> FindCreating(const JobId& id);

  // Removes a job, which must be there, with everything stored for it.
  void RemoveJob(const JobId& id, JobTransaction& transaction);

  // Gives back what the job was promised; its pins stay in the store.
  void ReleaseLoras(JobEntry& entry);

  // Refuses, with FAILED_PRECONDITION, a folder that a job which has not ended
  // writes to. Jobs with the same request id do not count: a repeated submit
  // may overlap with its own first half.
  absl::Status CheckFolderIsFree(const std::string& folder,
                                 const std::string& request_id) const;

  // Opens the output that a job's URI names. Thread-safe.
  absl::StatusOr<std::unique_ptr<storage::OutputStore>> OpenOutput(
      const std::string& uri) const;

  // Writes what a job leaves behind; see SealJob. Outside of commands, since it
  // reads every shard and writes files. Thread-safe.
  absl::Status Seal(const Job& job, absl::Time end_time) const;

  const CoordinatorOptions options;
  Clock& clock;
  JobStore& store;
  const TaskReader& task_reader;
  const std::function<void()> on_work;

  CoordinatorStats stats;
  JobTable jobs;
  LoraRegistry loras;
  LeaseTable leases;
  WorkerRegistry workers;
  PipelineGroups groups;
  SealQueue seals;
  Dispatcher dispatcher;
  GroupCommit commands;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_COORDINATOR_STATE_H_

// Grants leases, takes results, and takes lost leases back.
#ifndef TESSERA_COORDINATOR_DISPATCHER_H_
#define TESSERA_COORDINATOR_DISPATCHER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/coordinator_options.h"
#include "coordinator/coordinator_stats.h"
#include "coordinator/job.h"
#include "coordinator/job_table.h"
#include "coordinator/lease_table.h"
#include "coordinator/pipeline/groups.h"
#include "coordinator/store/job_store.h"
#include "coordinator/worker_protocol.h"
#include "coordinator/worker_registry.h"

namespace tessera::coordinator {

// The rules of the worker protocol over the tables in memory, writing every
// change of a job or shard to the transaction. A method that returns an error
// has changed nothing. Thread-compatible.
class Dispatcher {
 public:
  // References must outlive the dispatcher.
  Dispatcher(const CoordinatorOptions& options, JobTable& jobs,
             LeaseTable& leases, WorkerRegistry& workers,
             PipelineGroups& groups, CoordinatorStats& stats);

  // Gives every shard that the store shows as leased a fresh full period, and
  // keeps jobs whose leases were revoked from being sealed for as long. Call
  // once after the tables were loaded.
  void AdoptLeases(absl::Time now);

  // Answers a worker. An assignment lacks its payload, which the caller reads
  // once the transaction is committed.
  SynchronizeReply Synchronize(const SynchronizeRequest& request,
                               absl::Time now, JobTransaction& transaction);

  // Takes results; see Coordinator::CommitResults.
  absl::StatusOr<std::vector<int32_t>> Commit(const CommitRequest& request,
                                              absl::Time now,
                                              JobTransaction& transaction);

  // Takes back the leases whose time is over.
  void ExpireLeases(absl::Time now, JobTransaction& transaction);

  // Ends the pipeline groups that lost a member or that no job needs.
  void ExpireGroups(absl::Time now);

  // Fails, with DATA_LOSS and `reason`, what is unfinished of a leased shard
  // whose payload is damaged. A lease that is over is left alone.
  void FailUnreadable(const WorkerId& worker, const Lease& lease,
                      const std::string& reason, JobTransaction& transaction);

  // Takes a lease back that could not be handed out; its shard is queued
  // again. A lease that is over is left alone.
  void TakeBack(const WorkerId& worker, const Lease& lease,
                JobTransaction& transaction);

  // Ends the work on an executable job: revokes its leases, counts what is
  // unfinished as cancelled and leaves it SEALING, to become `outcome`.
  void Close(JobEntry& entry, JobState outcome, std::string message,
             JobTransaction& transaction);

  // Returns whether shards became available since the last call.
  bool TakeWorkAvailable();

 private:
  SynchronizeReply AnswerExecuting(const SynchronizeRequest& request,
                                   absl::Time now);
  SynchronizeReply AnswerIdle(const SynchronizeRequest& request, absl::Time now,
                              JobTransaction& transaction);
  JobEntry* PickFor(const WorkerId& worker, const WorkerInfo& info);
  bool MayExecute(const WorkerId& worker, const JobHeader& job) const;
  bool OfferToPipelines(const SynchronizeRequest& request, absl::Time now);
  Assignment Grant(JobEntry& entry, const WorkerId& worker, absl::Time now,
                   JobTransaction& transaction);
  Assignment AssignmentOf(const JobEntry& entry, const Shard& shard) const;
  void Return(JobEntry& entry, Shard& shard, JobTransaction& transaction);
  bool IsRepeat(const CommitRequest& request, const JobEntry& entry,
                JobTransaction& transaction) const;
  std::vector<int32_t> Apply(const CommitRequest& request, JobEntry& entry,
                             Shard& shard, absl::Time now,
                             JobTransaction& transaction);
  void FinishTask(const TaskResult& result, JobEntry& entry, Shard& shard,
                  JobTransaction& transaction);
  void Settle(JobEntry& entry, Shard& shard, JobTransaction& transaction);
  void CloseIfOver(JobEntry& entry, JobTransaction& transaction);
  void LoseLease(const HeldLease& held, JobTransaction& transaction);

  const CoordinatorOptions options_;
  JobTable& jobs_;
  LeaseTable& leases_;
  WorkerRegistry& workers_;
  PipelineGroups& groups_;
  CoordinatorStats& stats_;
  int64_t grants_ = 0;
  bool work_available_ = false;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_DISPATCHER_H_

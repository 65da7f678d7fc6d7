// How leases end without their worker: lost, or not to be handed out at all.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "coordinator/dispatcher.h"
#include "coordinator/retry_policy.h"

namespace tessera::coordinator {

void Dispatcher::ExpireLeases(absl::Time now, JobTransaction& transaction) {
  for (const HeldLease& held : leases_.TakeExpired(now)) {
    Log(Severity::kWarning, "lease expired",
        {{"job", held.lease.shard.job.value()},
         {"shard", held.lease.shard.index},
         {"worker", held.worker.value()},
         {"epoch", held.lease.epoch}});
    // A revoked lease was given up by us: nobody lost it, nobody counts it.
    if (!held.revoked) LoseLease(held, transaction);
  }
}

// Counts a lease that ran out; at the limit one picture pays for it, so that a
// picture which kills workers cannot stop its job (I5).
void Dispatcher::LoseLease(const HeldLease& held, JobTransaction& transaction) {
  JobEntry& entry = *jobs_.Find(held.lease.shard.job);
  Shard& shard = entry.shards[held.lease.shard.index];
  entry.job.retries += 1;
  shard.lost_leases += 1;
  stats_.leases_lost_total += 1;
  if (shard.lost_leases >= options_.max_lost_leases) {
    const TaskResult lost{
        shard.finished.FirstAbsent(),
        TaskFailure{std::string(kWorkerLost),
                    absl::StrCat("workers were lost while making it: ",
                                 shard.lost_leases)}};
    FinishTask(lost, entry, shard, transaction);
    // The next one may be as bad: go on one at a time.
    shard.lost_leases = options_.isolate_after;
  }
  transaction.PutJob(entry.job);
  Settle(entry, shard, transaction);
  CloseIfOver(entry, transaction);
}

void Dispatcher::FailUnreadable(const WorkerId& worker, const Lease& lease,
                                const std::string& reason,
                                JobTransaction& transaction) {
  // Lost, cancelled or failed while the payload was read: nothing is left to
  // do, or it is for the next holder to find out.
  if (!leases_.Holds(worker, lease)) return;
  Log(Severity::kError, "shard is damaged",
      {{"job", lease.shard.job.value()},
       {"shard", lease.shard.index},
       {"error", reason}});
  JobEntry& entry = *jobs_.Find(lease.shard.job);
  Shard& shard = entry.shards[lease.shard.index];
  // What was finished before the damage keeps its picture.
  while (!shard.complete()) {
    const TaskResult failed{shard.finished.FirstAbsent(),
                            TaskFailure{std::string(kDataLoss), reason}};
    FinishTask(failed, entry, shard, transaction);
  }
  Settle(entry, shard, transaction);
  CloseIfOver(entry, transaction);
}

void Dispatcher::TakeBack(const WorkerId& worker, const Lease& lease,
                          JobTransaction& transaction) {
  if (!leases_.Holds(worker, lease)) return;
  JobEntry& entry = *jobs_.Find(lease.shard.job);
  // Nothing is counted: no worker was lost and no picture was tried.
  Return(entry, entry.shards[lease.shard.index], transaction);
}

}  // namespace tessera::coordinator

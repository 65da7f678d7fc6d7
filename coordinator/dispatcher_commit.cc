#include <algorithm>
#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "coordinator/dispatcher.h"
#include "coordinator/job_state.h"
#include "coordinator/job_warnings.h"
#include "coordinator/retry_policy.h"
#include "coordinator/task_attempts.h"
#include "coordinator/task_result.h"

namespace tessera::coordinator {

// Taking results; the rest of the class is in dispatcher.cc.

absl::StatusOr<std::vector<int32_t>> Dispatcher::Commit(
    const CommitRequest& request, absl::Time now, JobTransaction& transaction) {
  const ShardId& id = request.lease.shard;
  JobEntry* entry = jobs_.Find(id.job);
  if (entry == nullptr) {
    // ABORTED, not NOT_FOUND: to the worker a lease on a job that is gone is a
    // lease that is over, and the answer is to stop.
    return absl::AbortedError(
        absl::StrCat("the lease is not valid: unknown job: ", id.job.value()));
  }
  const bool known =
      id.index >= 0 && id.index < static_cast<int64_t>(entry->shards.size());
  if (known && leases_.Holds(request.worker, request.lease)) {
    Shard& shard = entry->shards[id.index];
    // Before anything is applied: a bad result refuses the whole commit.
    RETURN_IF_ERROR(ValidateResults(request.results, shard.pictures()));
    stats_.commits_total += 1;
    return Apply(request, *entry, shard, now, transaction);
  }
  if (IsRepeat(request, *entry, transaction)) return std::vector<int32_t>();
  return absl::AbortedError(absl::StrCat(
      "the lease is no longer valid: job ", id.job.value(), " shard ", id.index,
      " epoch ", request.lease.epoch, "; the job is ",
      std::string(JobStateName(entry->job.state))));
}

// Returns whether everything in `request` was taken before, by this lease: its
// answer was lost. Changes nothing.
bool Dispatcher::IsRepeat(const CommitRequest& request, const JobEntry& entry,
                          JobTransaction& transaction) const {
  const ShardId& id = request.lease.shard;
  const Shard* shard = nullptr;
  if (id.index >= 0 && id.index < static_cast<int64_t>(entry.shards.size())) {
    shard = &entry.shards[id.index];
    if (shard->epoch != request.lease.epoch) return false;
  }
  // After a cancel or a failure not even a repeat is answered with OK: the
  // worker is to stop (I7).
  if (entry.job.outcome != JobState::kSucceeded) return false;
  if (request.results.empty()) {
    return request.release && shard != nullptr && shard->holder.empty();
  }
  return std::all_of(
      request.results.begin(), request.results.end(),
      [&](const TaskResult& result) {
        // A failure worth a retry leaves no result, only a counted attempt.
        if (shard != nullptr && AttemptedUnderLease(*shard, result.task))
          return true;
        const std::optional<TaskResult> stored =
            transaction.FindResult(id, result.task);
        return stored && SameOutcome(*stored, result);
      });
}

// Stores results under a valid lease. Never fails: what could be wrong was
// checked before.
std::vector<int32_t> Dispatcher::Apply(const CommitRequest& request,
                                       JobEntry& entry, Shard& shard,
                                       absl::Time now,
                                       JobTransaction& transaction) {
  const ShardId& id = request.lease.shard;
  const ImageCounts before = entry.job.images;
  std::vector<int32_t> conflicts;
  for (const TaskResult& result : request.results) {
    AddWarnings(result.warnings, entry.job.warnings);
    if (!shard.finished.Contains(result.task)) {
      FinishTask(result, entry, shard, transaction);
      continue;
    }
    const std::optional<TaskResult> stored =
        transaction.FindResult(id, result.task);
    // A repeat of the same picture is fine; another digest is recorded (I4).
    if (!stored || !DifferentDigest(*stored, result)) continue;
    Log(Severity::kWarning, "picture differs from the one committed before",
        {{"job", id.job.value()}, {"shard", id.index}, {"task", result.task}});
    transaction.AddConflict(id, request.lease.epoch, result);
    conflicts.push_back(result.task);
    stats_.conflicts_total += 1;
  }
  const int64_t done = entry.job.images.done - before.done;
  // Only a new outcome is progress: repeats and retries do not reset it.
  if (entry.job.images.waiting() != before.waiting()) shard.lost_leases = 0;
  workers_.AddImages(request.worker, done);
  entry.rate.Add(now, done);
  stats_.images_done_total += done;

  // A commit is a sign of life as good as a call.
  leases_.Renew(request.worker, now + options_.lease_duration);
  transaction.PutShard(id.job, shard);
  transaction.PutJob(entry.job);
  if (request.release || LeaseIsSpent(shard)) {
    Settle(entry, shard, transaction);
  }
  CloseIfOver(entry, transaction);
  return conflicts;
}

// Takes the outcome of an unfinished task: a picture, a failure for good, or a
// failure that deserves another lease.
void Dispatcher::FinishTask(const TaskResult& result, JobEntry& entry,
                            Shard& shard, JobTransaction& transaction) {
  const TaskFailure* failure = std::get_if<TaskFailure>(&result.outcome);
  // Counts the attempt before it asks whether another one is due.
  if (failure != nullptr && IsRetryable(failure->code) &&
      ShouldRetry(failure->code, CountAttempt(shard, result.task))) {
    WarnOfRetry(*failure, entry.job.warnings);
    return;
  }
  ForgetAttempts(shard, result.task);
  shard.finished.Insert(result.task);
  // The first outcome stands; AddResult is called once a task (I1).
  transaction.AddResult({entry.job.id, shard.index}, result);
  if (failure == nullptr) {
    entry.job.images.done += 1;
  } else {
    shard.failed += 1;
    entry.job.images.failed += 1;
    stats_.images_failed_total += 1;
  }
}

// Ends the lease of a shard: it is complete, or goes back to the queue.
void Dispatcher::Settle(JobEntry& entry, Shard& shard,
                        JobTransaction& transaction) {
  if (!shard.complete()) {
    Return(entry, shard, transaction);
    return;
  }
  leases_.Remove(shard.holder);
  entry.leases -= 1;
  shard.holder = WorkerId();
  transaction.PutShard(entry.job.id, shard);
  entry.job.shards_finished += 1;
  transaction.PutJob(entry.job);
}

}  // namespace tessera::coordinator

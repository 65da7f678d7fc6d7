#include "worker/session_state.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace tessera::worker {
namespace {

// The second generator must not draw what the first draws.
constexpr uint32_t kCommitSeedOffset = 0x9e3779b9;

// Whether a commit that failed so may succeed later with the same lease.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

}  // namespace

SessionState::SessionState(const SessionOptions& options)
    : options_(options),
      synchronize_backoff_(options.first_backoff, options.longest_backoff,
                           options.jitter_seed),
      commit_backoff_(options.first_backoff, options.longest_backoff,
                      options.jitter_seed + kCommitSeedOffset) {}

// Orders what may be done: leave, commit what is due, synchronize, else wait.
Step SessionState::NextStep(absl::Time now) {
  if (auto step = LeaveStep(now)) return *step;
  // A stopping executor must end before the worker may say that it is idle.
  if (execution_ && execution_->dropped) {
    return WaitUntil{absl::InfiniteFuture()};
  }
  if (now >= CommitTime()) return MakeCommit();
  if (now >= next_synchronize_) {
    // Numbers the call, so that only the newest is believed.
    SynchronizeCall call;
    call.sequence = ++sequence_;
    // Remembers what this call says, for OnAnswer to know what was heard.
    call.draining = call_draining_ = draining_;
    if (execution_) {
      call.lease = execution_->lease;
      call.tasks_finished = execution_->finished;
    }
    return call;
  }
  // Wakes for whatever comes first; an event wakes earlier.
  return WaitUntil{
      std::min({next_synchronize_, CommitTime(), drain_deadline_})};
}

// Leaves when nothing is held and the coordinator was told, or when patience is
// at its end. Pictures in flight are always waited for.
std::optional<Step> SessionState::LeaveStep(absl::Time now) const {
  if (!draining_) return std::nullopt;
  if (execution_ && execution_->running) return std::nullopt;
  if (!execution_ && said_draining_) return Leave{};
  if (now >= drain_deadline_) return Leave{};
  return std::nullopt;
}

// Returns when the next commit is due: never without a lease, at once when the
// execution has ended, for its end must be told even without results.
absl::Time SessionState::CommitTime() const {
  if (!execution_) return absl::InfiniteFuture();
  const Execution& execution = *execution_;
  if (!execution.running) return next_commit_;
  if (execution.uncommitted.empty()) return absl::InfiniteFuture();
  // Commits one by one when isolated, and early when a commit is full.
  if (execution.isolate ||
      execution.uncommitted.size() >= options_.commit_results) {
    return next_commit_;
  }
  // Waits for company, but not beyond the delay of the oldest result.
  return std::max(next_commit_,
                  execution.first_waiting + options_.commit_delay);
}

// Says whether the lease must be given back: the executor ended early, and
// tasks without a result go to another worker.
bool SessionState::MustRelease() const {
  return !execution_->running && execution_->unfinished > 0;
}

// Makes a commit of the oldest results; they stay until OnCommitted, so that a
// failed call loses none.
CommitCall SessionState::MakeCommit() {
  const auto& uncommitted = execution_->uncommitted;
  commit_size_ = std::min(uncommitted.size(), options_.commit_results);
  CommitCall call;
  call.lease = execution_->lease;
  call.results.assign(uncommitted.begin(), uncommitted.begin() + commit_size_);
  // Releases with the last results only: after it the lease is gone.
  call.release = MustRelease() && commit_size_ == uncommitted.size();
  return call;
}

Order SessionState::OnAnswer(uint64_t sequence, SynchronizeAnswer answer,
                             absl::Time now) {
  // Ignores it: a newer call has told the coordinator more.
  if (sequence != sequence_) return {};
  synchronize_backoff_.Reset();
  next_synchronize_ = now + answer.next_synchronization;
  // Counts as said only what the answered call said.
  said_draining_ = call_draining_;
  if (auto* assignment = std::get_if<Assignment>(&answer.desired)) {
    // Carries on: the coordinator repeats what it believes the worker does.
    if (execution_ && execution_->lease == assignment->lease) return {};
    if (!execution_) return Start(*std::move(assignment), now);
    // Keeps the new assignment until the old execution has ended: one at a
    // time.
    waiting_ = *std::move(assignment);
    return Drop(now);
  }
  if (std::holds_alternative<StopLease>(answer.desired)) return Drop(now);
  return {};
}

void SessionState::OnSynchronizeFailed(absl::Time now) {
  next_synchronize_ = now + synchronize_backoff_.Next();
  // Saying goodbye was tried; a worker with nothing to commit need not insist.
  if (call_draining_ && !execution_) said_draining_ = true;
}

// Begins an execution of the tasks that are not finished.
Order SessionState::Start(Assignment assignment, absl::Time now) {
  Execution execution;
  execution.lease = assignment.lease;
  execution.isolate = assignment.isolate;
  execution.finished = static_cast<int64_t>(assignment.finished_tasks.size());
  execution.unfinished =
      assignment.tasks.size() -
      std::min(assignment.tasks.size(), assignment.finished_tasks.size());
  // Does not run while draining, and then holds only what is to be given back.
  execution.running = !draining_;
  execution_ = std::move(execution);
  next_commit_ = now;
  // Given before the coordinator knew: the next step gives it back.
  if (draining_) return {};
  return StartExecution{std::move(assignment)};
}

// Drops the lease: results go, and a running executor is told to stop.
Order SessionState::Drop(absl::Time now) {
  if (!execution_) return {};
  execution_->uncommitted.clear();
  // Has nothing to wait for.
  if (!execution_->running) {
    EndExecution(now);
    if (!waiting_) return {};
    return Start(*std::exchange(waiting_, std::nullopt), now);
  }
  // Marks it: results that still come are ignored, and no call is made until
  // the executor has ended.
  execution_->dropped = true;
  return StopExecution{};
}

// Forgets the lease and asks for the next at once.
void SessionState::EndExecution(absl::Time now) {
  execution_.reset();
  commit_backoff_.Reset();
  next_commit_ = now;
  next_synchronize_ = now;
}

// Removes what was committed; results that came during the call stay.
void SessionState::OnCommitted(absl::Time now) {
  CHECK(execution_.has_value());
  commit_backoff_.Reset();
  next_commit_ = now;
  auto& uncommitted = execution_->uncommitted;
  uncommitted.erase(uncommitted.begin(), uncommitted.begin() + commit_size_);
  commit_size_ = 0;
  // Restarts the delay for those that came meanwhile.
  execution_->first_waiting = now;
  // Ends with the last commit, the one that may have released.
  if (!execution_->running && uncommitted.empty()) EndExecution(now);
}

// Keeps the results for another try, or drops the lease if none can succeed.
Order SessionState::OnCommitFailed(const absl::Status& status, absl::Time now) {
  CHECK(execution_.has_value());
  commit_size_ = 0;
  if (!MayPass(status)) return Drop(now);
  next_commit_ = now + commit_backoff_.Next();
  return {};
}

void SessionState::OnResult(TaskResult result, absl::Time now) {
  // Ignores results of a lost lease, whose files another attempt writes anew.
  if (!execution_ || execution_->dropped) return;
  if (execution_->uncommitted.empty()) execution_->first_waiting = now;
  execution_->uncommitted.push_back(std::move(result));
  ++execution_->finished;
  // Guards against a result too many; unfinished never wraps.
  if (execution_->unfinished > 0) --execution_->unfinished;
}

Order SessionState::OnExecutionEnded(absl::Time now) {
  // Does nothing for an execution that was dropped and forgotten.
  if (!execution_) return {};
  execution_->running = false;
  if (draining_) drain_deadline_ = now + options_.drain_patience;
  // Needs no commit when every result is committed already.
  const bool committed =
      execution_->uncommitted.empty() && execution_->unfinished == 0;
  if (!execution_->dropped && !committed) return {};
  EndExecution(now);
  if (!waiting_) return {};
  return Start(*std::exchange(waiting_, std::nullopt), now);
}

Order SessionState::OnDrain(absl::Time now) {
  if (draining_) return {};
  draining_ = true;
  // Tells the coordinator now rather than at the next turn.
  next_synchronize_ = now;
  if (execution_ && execution_->running) {  // patience begins at its end
    if (execution_->dropped) return {};
    return DrainExecution{};
  }
  drain_deadline_ = now + options_.drain_patience;
  return {};
}

}  // namespace tessera::worker

// The life of a worker towards the coordinator, as a pure state machine.
//
//   idle -> executing -> (all results committed) -> idle
//            executing -> stopping -> idle        lease lost, or Stop
//   draining: finish what is in flight, commit, release the rest, leave
//
// It holds no clock, thread or connection: events go in, with the time where
// it matters, and NextStep says what is to be done. session.h obeys it.
#ifndef TESSERA_WORKER_SESSION_STATE_H_
#define TESSERA_WORKER_SESSION_STATE_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "worker/assignment.h"
#include "worker/backoff.h"
#include "worker/session_messages.h"

namespace tessera::worker {

// How long the session waits for what.
struct SessionOptions {
  // Longest time a finished picture waits for others before its commit.
  absl::Duration commit_delay = absl::Milliseconds(500);
  // Most results in one commit.
  size_t commit_results = 4096;
  // Bounds of the wait after a failed call. The longest stays well below a
  // lease, so that a worker is back in time after a coordinator's restart.
  absl::Duration first_backoff = absl::Milliseconds(100);
  absl::Duration longest_backoff = absl::Seconds(5);
  // While draining, how long an absent coordinator is waited for.
  absl::Duration drain_patience = absl::Seconds(30);
  uint32_t jitter_seed = 1;
};

// What the session is to do now.
struct WaitUntil {
  absl::Time time;  // or until the next event
};
// Says that Run may return.
struct Leave {};  // the worker is drained
using Step = std::variant<WaitUntil, SynchronizeCall, CommitCall, Leave>;

// What the executor is to do as a result of an event.
struct StartExecution {
  Assignment assignment;
};
struct StopExecution {};   // at once; results are dropped
struct DrainExecution {};  // after the pictures in flight
using Order =
    std::variant<std::monostate, StartExecution, StopExecution, DrainExecution>;

// Decides what a worker does next. Thread-compatible.
class SessionState {
 public:
  explicit SessionState(const SessionOptions& options);

  // Returns what to do at `now`. A call must be made and its outcome reported
  // by OnAnswer, OnSynchronizeFailed, OnCommitted or OnCommitFailed before
  // NextStep is asked again.
  Step NextStep(absl::Time now);

  // The Synchronize call with `sequence` was answered. An answer to a call
  // that is not the newest is ignored.
  Order OnAnswer(uint64_t sequence, SynchronizeAnswer answer, absl::Time now);
  // The call failed or was ended by a drain: the next one waits longer.
  void OnSynchronizeFailed(absl::Time now);

  // The commit that NextStep returned ended. A lost lease (ABORTED) or any
  // other refusal drops the lease; a failure that may pass keeps the results.
  void OnCommitted(absl::Time now);
  Order OnCommitFailed(const absl::Status& status, absl::Time now);

  // The executor finished a task of the current lease.
  void OnResult(TaskResult result, absl::Time now);

  // The executor ended: every task has a result, or it was told to end.
  // Returns the next execution if one waited for this.
  Order OnExecutionEnded(absl::Time now);

  // The process was asked to leave. Repeating changes nothing.
  Order OnDrain(absl::Time now);

  // Says whether a lease is held, even if its executor has ended.
  bool executing() const { return execution_.has_value(); }
  bool draining() const { return draining_; }

 private:
  // The lease at hand and what has become of it.
  struct Execution {
    Lease lease;
    bool isolate = false;
    size_t unfinished = 0;     // tasks without a result
    int64_t finished = 0;      // results so far, earlier attempts' included
    bool running = false;      // the executor has not ended
    bool dropped = false;      // nothing more may be committed
    absl::Time first_waiting;  // when the oldest uncommitted result came
    // Oldest first; those of a commit under way stay in front.
    std::vector<TaskResult> uncommitted;
  };

  Order Start(Assignment assignment, absl::Time now);
  Order Drop(absl::Time now);
  void EndExecution(absl::Time now);
  absl::Time CommitTime() const;
  bool MustRelease() const;
  CommitCall MakeCommit();
  std::optional<Step> LeaveStep(absl::Time now) const;

  const SessionOptions options_;
  // Of the newest Synchronize call.
  uint64_t sequence_ = 0;
  // When the next Synchronize call is due.
  absl::Time next_synchronize_ = absl::InfinitePast();
  absl::Time next_commit_ = absl::InfinitePast();  // after a failure
  // Waits after failed calls; the two kinds fail on their own.
  Backoff synchronize_backoff_;
  Backoff commit_backoff_;
  std::optional<Execution> execution_;
  std::optional<Assignment> waiting_;  // starts when the executor has ended
  size_t commit_size_ = 0;             // results in the commit under way
  bool draining_ = false;
  bool call_draining_ = false;  // the newest Synchronize call said so
  bool said_draining_ = false;  // and it was answered, or was tried in vain
  // When a draining worker leaves, whatever is uncommitted.
  absl::Time drain_deadline_ = absl::InfiniteFuture();
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_SESSION_STATE_H_

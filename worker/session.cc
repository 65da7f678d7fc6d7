#include "worker/session.h"

#include <utility>

#include "common/log.h"

namespace tessera::worker {

// Carries results from the executor's thread to the session's.
class Session::Listener final : public ExecutionListener {
 public:
  explicit Listener(Session& session) : session_(session) {}

  // Is called on the executor's thread; only queues.
  void OnResult(TaskResult result) override {
    session_.Push(std::move(result));
  }
  // Leaves stages and calls to the metrics, which listen elsewhere.
  void OnStage(std::string_view, double) override {}
  void OnUNetCall(int) override {}

  // Drains: commits what there is, gives the rest back and leaves.
  void OnDeviceLost(const absl::Status& reason) override {
    Log(Severity::kError, "device lost", {{"status", reason}});
    {
      absl::MutexLock lock(&session_.mu_);
      session_.device_lost_ = reason;
    }
    session_.Drain();
  }

 private:
  Session& session_;
};

// Starts nothing: threads begin with the first lease.
Session::Session(CoordinatorLink& link, ShardExecutor& executor,
                 WorkerMetrics& metrics, const SessionOptions& options,
                 Clock& clock)
    : link_(link),
      executor_(executor),
      metrics_(metrics),
      clock_(clock),
      state_(options) {}

// Stops what runs: a session that is destroyed without a drain commits nothing
// more.
Session::~Session() {
  if (control_ != nullptr) control_->Stop();
  JoinExecutor();
}

absl::Status Session::Run() {
  while (true) {
    // Takes events first, so that the step is decided on all that has happened.
    TakeEvents();
    const Step step = state_.NextStep(clock_.Now());
    if (const auto* call = std::get_if<SynchronizeCall>(&step)) {
      Synchronize(*call);
    } else if (const auto* commit = std::get_if<CommitCall>(&step)) {
      Commit(*commit);
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      Wait(wait->time);
    } else {
      break;
    }
  }
  // Happens when the coordinator stayed away for the whole patience of a drain.
  if (state_.executing()) {
    Log(Severity::kWarning, "leaving with results that were not committed", {});
  }
  JoinExecutor();
  absl::MutexLock lock(&mu_);
  return device_lost_;
}

void Session::Drain() {
  {
    absl::MutexLock lock(&mu_);
    drain_ = true;
  }
  // Ends the call that waits for work; outside of the lock, for the link has
  // its own.
  link_.EndIdleCalls();
}

void Session::Synchronize(const SynchronizeCall& call) {
  // Calls without a lock: results queue meanwhile.
  absl::StatusOr<SynchronizeAnswer> answer = link_.Synchronize(call);
  const absl::Time now = clock_.Now();
  if (absl::IsCancelled(answer.status())) {  // by Drain, for the better
    return state_.OnSynchronizeFailed(now);
  }
  if (!answer.ok()) {
    state_.OnSynchronizeFailed(now);
    metrics_.CountSynchronizeFailure();
    // Logs the change, not every failed try.
    if (std::exchange(connected_, false)) {
      Log(Severity::kWarning, "coordinator does not answer",
          {{"status", answer.status()}});
    }
    return;
  }
  if (!std::exchange(connected_, true)) {
    Log(Severity::kInfo, "coordinator answers again", {});
  }
  if (const auto* stop = std::get_if<StopLease>(&answer->desired)) {
    Log(Severity::kInfo, "lease stopped", {{"reason", stop->reason}});
  }
  // Hands the sequence back: an answer to an older call is ignored.
  Obey(state_.OnAnswer(call.sequence, *std::move(answer), now));
}

// Sends results and tells the state how it went.
void Session::Commit(const CommitCall& call) {
  const absl::Status status = link_.CommitResults(call);
  metrics_.CountCommit(absl::StatusCodeToString(status.code()));
  if (status.ok()) {
    commit_status_ = absl::StatusCode::kOk;
    return state_.OnCommitted(clock_.Now());
  }
  // A coordinator that stays away is worth one line, not one a try.
  if (std::exchange(commit_status_, status.code()) != status.code()) {
    Log(Severity::kWarning, "commit failed",
        {{"job", call.lease.job_id},
         {"shard", call.lease.shard_index},
         {"results", call.results.size()},
         {"status", status}});
  }
  Obey(state_.OnCommitFailed(status, clock_.Now()));
}

// Waits for `until`, an event or a drain, whichever is first.
void Session::Wait(absl::Time until) {
  const absl::Duration timeout = until - clock_.Now();
  absl::MutexLock lock(&mu_);
  // Reads what Push and Drain write, under their lock.
  const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !events_.empty() || (drain_ && !drain_taken_);
  };
  clock_.AwaitWithTimeout(mu_, absl::Condition(&something), timeout);
}

// Hands queued events to the state in the order in which they came.
void Session::TakeEvents() {
  std::vector<Event> events;
  bool drain = false;
  // Swaps under the lock; the state is told without it.
  {
    absl::MutexLock lock(&mu_);
    events.swap(events_);
    drain = drain_ && !drain_taken_;
    if (drain) drain_taken_ = true;
  }
  const absl::Time now = clock_.Now();
  for (Event& event : events) {
    if (auto* result = std::get_if<TaskResult>(&event)) {
      state_.OnResult(std::move(*result), now);
    } else {
      // Joins before the state may start the next execution.
      JoinExecutor();
      Obey(state_.OnExecutionEnded(now));
    }
  }
  if (drain) {
    Log(Severity::kInfo, "draining", {});
    Obey(state_.OnDrain(now));
  }
}

// Carries out what the state orders of the executor.
void Session::Obey(Order order) {
  if (auto* start = std::get_if<StartExecution>(&order)) {
    JoinExecutor();
    // Outlives the thread: both are replaced only after a join.
    assignment_ = std::move(start->assignment);
    control_ = std::make_unique<ExecutionControl>(clock_);
    Log(Severity::kInfo, "lease begins",
        {{"job", assignment_->lease.job_id},
         {"shard", assignment_->lease.shard_index},
         {"epoch", assignment_->lease.epoch},
         {"images",
          assignment_->tasks.size() - assignment_->finished_tasks.size()},
         {"isolate", assignment_->isolate}});
    executor_thread_ = std::thread([this] {
      Listener listener(*this);
      executor_.Execute(*assignment_, *control_, listener);
      // Comes last, after every result.
      Push(Ended{});
    });
  } else if (std::holds_alternative<StopExecution>(order)) {
    control_->Stop();
  } else if (std::holds_alternative<DrainExecution>(order)) {
    control_->Drain();
  }
}

// Waits for the executor's thread, if there is one.
void Session::JoinExecutor() {
  if (executor_thread_.joinable()) executor_thread_.join();
}

// Queues an event and wakes Wait, whose condition reads the queue. Thread-safe.
void Session::Push(Event event) {
  absl::MutexLock lock(&mu_);
  events_.push_back(std::move(event));
}

}  // namespace tessera::worker

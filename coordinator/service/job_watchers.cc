#include "coordinator/service/job_watchers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/service/codec.h"

namespace tessera::coordinator {
namespace {

// Whether a state is the last one. The enumeration lists those after SEALING.
bool IsTerminal(v1::JobState state) { return state > v1::JOB_STATE_SEALING; }

}  // namespace

// One followed job. At most one write is under way; a state that comes during
// a write is seen at the next pulse. Kept alive by the set and by running
// pulses; gRPC's use of it ends with OnDone.
class JobWatchers::Call final : public grpc::ServerWriteReactor<v1::Job> {
 public:
  Call(JobWatchers& watchers, JobId job)
      : watchers_(watchers),
        job_(std::move(job)),
        timer_(watchers.frame_, "WatchJob") {}

  // Sends the job if it changed since it was last sent. Does nothing while
  // another thread looks, so that states stay in order.
  void Poll() {
    // GetJob may wait for the store and is called without the lock: gRPC's
    // callbacks must not wait for it in turn.
    {
      absl::MutexLock lock(&mu_);
      // Skipping loses nothing: the next pulse looks again.
      if (ending_ || writing_ || polling_) return;
      polling_ = true;
    }
    const absl::StatusOr<Job> job = watchers_.coordinator_.GetJob(job_);
    absl::MutexLock lock(&mu_);
    polling_ = false;
    // The call was cancelled or stopped while we looked.
    if (ending_) return;
    if (!job.ok()) return EndLocked(job.status());
    v1::Job message = EncodeJob(*job);
    // Compares what would be sent, so that a field added to the message can
    // never be forgotten here. A rate that falls is a change as well.
    std::string bytes = message.SerializeAsString();
    if (bytes == sent_) return;
    sent_ = std::move(bytes);
    // gRPC reads the message until OnWriteDone; `writing_` protects it.
    message_ = std::move(message);
    writing_ = true;
    StartWrite(&message_);
  }

  // Ends the call, at once or when its write is done.
  void End(const absl::Status& status) {
    absl::MutexLock lock(&mu_);
    EndLocked(status);
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mu_);
    writing_ = false;
    // EndLocked was called during the write and left the end to us.
    if (ending_) return FinishLocked();
    if (!ok) return EndLocked(absl::CancelledError("the client went away"));
    // Ended by what was sent, not by what is true now: the client must have
    // received the final state before the stream ends.
    if (IsTerminal(message_.state())) EndLocked(absl::OkStatus());
  }

  void OnCancel() override {
    End(absl::CancelledError("the client went away"));
  }

  void OnDone() override { watchers_.Remove(this); }

 private:
  // Remembers the first reason to end. gRPC allows no Finish during a write.
  void EndLocked(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (ending_) return;
    ending_ = true;
    status_ = status;
    if (!writing_) FinishLocked();
  }

  // Called once: `ending_` is set before, and only one of its two callers finds
  // that no write is under way.
  void FinishLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Finish(timer_.Answer(status_));
  }

  JobWatchers& watchers_;
  const JobId job_;
  const CallTimer timer_;
  absl::Mutex mu_;
  v1::Job message_;  // stable while a write is under way
  std::string sent_ ABSL_GUARDED_BY(mu_);
  bool polling_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

JobWatchers::JobWatchers(const CallFrame& frame, Coordinator& coordinator)
    : frame_(frame), coordinator_(coordinator) {}

JobWatchers::~JobWatchers() = default;

grpc::ServerWriteReactor<v1::Job>* JobWatchers::Watch(const JobId& job) {
  auto call = std::make_shared<Call>(*this, job);
  bool stopping;
  {
    absl::MutexLock lock(&mu_);
    stopping = stopping_;
    // Inserted even when stopping: OnDone expects to find it, and the set is
    // what keeps it alive until then.
    calls_.insert(call);
  }
  if (stopping) {
    call->End(absl::UnavailableError("the coordinator is shutting down"));
    // A first look that finds no room ends the call. Later looks need no place
    // in the pool: they run on the thread that calls Pulse.
  } else if (!frame_.pool.TryRun([call] { call->Poll(); })) {
    call->End(CallFrame::Overloaded());
  }
  return call.get();
}

void JobWatchers::Pulse() {
  std::vector<std::shared_ptr<Call>> calls;
  {
    absl::MutexLock lock(&mu_);
    // Copies the pointers: Poll blocks, and OnDone takes this lock.
    calls.assign(calls_.begin(), calls_.end());
  }
  for (const std::shared_ptr<Call>& call : calls) call->Poll();
}

void JobWatchers::Stop() {
  std::vector<std::shared_ptr<Call>> calls;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    calls.assign(calls_.begin(), calls_.end());
  }
  // Each call may finish now or at the end of its write; Finish does not block,
  // so Stop does not either.
  for (const std::shared_ptr<Call>& call : calls) {
    call->End(absl::UnavailableError("the coordinator is shutting down"));
  }
}

// Drops the set's reference; a pulse that holds another one finds the call
// ended and does not touch gRPC.
void JobWatchers::Remove(Call* call) {
  std::shared_ptr<Call> last;  // destroyed outside of the lock
  absl::MutexLock lock(&mu_);
  const auto found =
      std::find_if(calls_.begin(), calls_.end(),
                   [&](const auto& entry) { return entry.get() == call; });
  if (found == calls_.end()) return;
  last = *found;
  calls_.erase(found);
}

}  // namespace tessera::coordinator

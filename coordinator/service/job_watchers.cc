#include "coordinator/service/job_watchers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/service/codec.h"

namespace tessera::coordinator {
namespace {

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
    {
      absl::MutexLock lock(&mu_);
      if (ending_ || writing_ || polling_) return;
      polling_ = true;
    }
    const absl::StatusOr<Job> job = watchers_.coordinator_.GetJob(job_);
    absl::MutexLock lock(&mu_);
    polling_ = false;
    if (ending_) return;
    if (!job.ok()) return EndLocked(job.status());
    v1::Job message = EncodeJob(*job);
    std::string bytes = message.SerializeAsString();
    if (bytes == sent_) return;
    sent_ = std::move(bytes);
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
    if (ending_) return FinishLocked();
    if (!ok) return EndLocked(absl::CancelledError("the client went away"));
    if (IsTerminal(message_.state())) EndLocked(absl::OkStatus());
  }

  void OnCancel() override {
    End(absl::CancelledError("the client went away"));
  }

  void OnDone() override { watchers_.Remove(this); }

 private:
  void EndLocked(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (ending_) return;
    ending_ = true;
    status_ = status;
    if (!writing_) FinishLocked();
  }

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
    calls_.insert(call);
  }
  if (stopping) {
    call->End(absl::UnavailableError("the coordinator is shutting down"));
  } else if (!frame_.pool.TryRun([call] { call->Poll(); })) {
    call->End(CallFrame::Overloaded());
  }
  return call.get();
}

void JobWatchers::Pulse() {
  std::vector<std::shared_ptr<Call>> calls;
  {
    absl::MutexLock lock(&mu_);
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
  for (const std::shared_ptr<Call>& call : calls) {
    call->End(absl::UnavailableError("the coordinator is shutting down"));
  }
}

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

#include "coordinator/service/idle_workers.h"

#include <atomic>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "coordinator/service/worker_codec.h"

namespace tessera::coordinator {

// One Synchronize call. Exactly one party owns it at a time: a pool thread
// that runs Ask, or the set of held calls.
class IdleWorkers::Call final : public grpc::ServerUnaryReactor {
 public:
  Call(IdleWorkers& idle, Coordinator& coordinator,
       internal::v1::SynchronizeResponse& response)
      : idle_(idle),
        coordinator_(coordinator),
        response_(response),
        timer_(idle.frame_, "Synchronize"),
        deadline_(idle.frame_.clock.Now() + idle.hold_) {}

  // Decodes the request and asks for the first time.
  void Begin(const internal::v1::SynchronizeRequest& proto) {
    absl::StatusOr<SynchronizeRequest> request = DecodeSynchronize(proto);
    if (!request.ok()) return Finish(timer_.Answer(request.status()));
    request_ = *std::move(request);
    if (!idle_.frame_.pool.TryRun([this] { Ask(); })) {
      Finish(timer_.Answer(CallFrame::Overloaded()));
    }
  }

  // Asks the coordinator; then answers, or lets the call be held.
  void Ask() {
    while (true) {
      const uint64_t version = idle_.version();
      absl::StatusOr<SynchronizeReply> reply =
          coordinator_.Synchronize(request_);
      if (!reply.ok() || !reply->may_wait || due()) return Answer(reply);
      if (idle_.Hold(this, version)) return;
      if (cancelled_ || idle_.version() == version) return Answer(reply);
    }
  }

  // Whether the worker went away; Cancel notes it under the set's lock.
  bool cancelled() const { return cancelled_; }
  void NoteCancelled() { cancelled_ = true; }

  bool due() const { return idle_.frame_.clock.Now() >= deadline_; }

  void OnCancel() override {
    if (idle_.Cancel(this)) {
      Finish(timer_.Answer(absl::CancelledError("the worker went away")));
    }
  }

  void OnDone() override { delete this; }

 private:
  void Answer(const absl::StatusOr<SynchronizeReply>& reply) {
    Finish(timer_.Answer(reply.ok() ? Encode(*reply) : reply.status()));
  }

  absl::Status Encode(const SynchronizeReply& reply) {
    ASSIGN_OR_RETURN(response_, EncodeSynchronize(reply));
    if (response_.has_execute()) idle_.frame_.metrics.CountAssignment();
    return absl::OkStatus();
  }

  IdleWorkers& idle_;
  Coordinator& coordinator_;
  internal::v1::SynchronizeResponse& response_;
  const CallTimer timer_;
  const absl::Time deadline_;
  SynchronizeRequest request_;
  std::atomic<bool> cancelled_{false};
};

IdleWorkers::IdleWorkers(const CallFrame& frame, absl::Duration hold)
    : frame_(frame), hold_(hold) {}

IdleWorkers::~IdleWorkers() = default;

grpc::ServerUnaryReactor* IdleWorkers::Synchronize(
    Coordinator& coordinator, const internal::v1::SynchronizeRequest& request,
    internal::v1::SynchronizeResponse& response) {
  auto* const call = new Call(*this, coordinator, response);
  call->Begin(request);
  return call;
}

void IdleWorkers::Wake() {
  std::vector<Call*> calls;
  {
    absl::MutexLock lock(&mu_);
    ++version_;
    calls.assign(held_.begin(), held_.end());
    held_.clear();
  }
  for (Call* call : calls) frame_.pool.Run([call] { call->Ask(); });
}

void IdleWorkers::Expire() {
  std::vector<Call*> calls;
  {
    absl::MutexLock lock(&mu_);
    for (Call* call : held_) {
      if (call->due()) calls.push_back(call);
    }
    for (Call* call : calls) held_.erase(call);
  }
  for (Call* call : calls) frame_.pool.Run([call] { call->Ask(); });
}

void IdleWorkers::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  Wake();
}

bool IdleWorkers::Hold(Call* call, uint64_t version) {
  absl::MutexLock lock(&mu_);
  if (stopping_ || version_ != version || call->cancelled()) return false;
  held_.insert(call);
  return true;
}

bool IdleWorkers::Cancel(Call* call) {
  absl::MutexLock lock(&mu_);
  call->NoteCancelled();
  return held_.erase(call) > 0;
}

uint64_t IdleWorkers::version() {
  absl::MutexLock lock(&mu_);
  return version_;
}

}  // namespace tessera::coordinator

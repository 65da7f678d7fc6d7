#include "coordinator/service/idle_workers.h"

#include <atomic>
#include <utility>
#include <vector>

#include "common/rpc/handover.h"
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
        // Fixed at the start: asking again must not hold a call for longer.
        deadline_(idle.frame_.clock.Now() + idle.hold_) {}

  // Decodes the request and asks for the first time.
  void Begin(const internal::v1::SynchronizeRequest& proto) {
    absl::StatusOr<SynchronizeRequest> request = DecodeSynchronize(proto);
    // A bad request costs no thread of the pool.
    if (!request.ok()) return Finish(timer_.Answer(request.status()));
    request_ = *std::move(request);
    if (!idle_.frame_.pool.TryRun([this] { Ask(); })) {
      Finish(timer_.Answer(CallFrame::Overloaded()));
    }
  }

  // Asks the coordinator; then answers, or lets the call be held.
  void Ask() {
    while (true) {
      // Read before the question: work that appears between it and Hold changes
      // the version, and the call asks again instead of sleeping through it.
      const uint64_t version = idle_.version();
      // Asking again repeats the same sequence number, which the coordinator
      // takes for a repeat and not for an old call.
      absl::StatusOr<SynchronizeReply> reply =
          coordinator_.Synchronize(request_);
      if (!reply.ok() || !reply->may_wait || due()) return Answer(reply);
      // From here on the call may belong to another thread, or be gone.
      if (idle_.Hold(this, version)) return;
      // Refused without new work means that the service stops. Whoever was
      // cancelled is answered too, as gRPC needs a Finish in any case.
      if (cancelled_ || idle_.version() == version) return Answer(reply);
    }
  }

  // Whether the worker went away; Cancel notes it under the set's lock.
  bool cancelled() const { return cancelled_; }
  void NoteCancelled() { cancelled_ = true; }

  bool due() const { return idle_.frame_.clock.Now() >= deadline_; }

  void OnCancel() override {
    // Only a held call is finished here; otherwise the thread that runs Ask
    // still owns it and will find it cancelled.
    if (idle_.Cancel(this)) {
      Finish(timer_.Answer(absl::CancelledError("the worker went away")));
    }
  }

  void OnDone() override {
    rpc::TakeOver(this);
    delete this;
  }

 private:
  // Finishes the call; it may be deleted before this returns.
  void Answer(const absl::StatusOr<SynchronizeReply>& reply) {
    const grpc::Status answer =
        timer_.Answer(reply.ok() ? Encode(*reply) : reply.status());
    rpc::HandOver(this);
    Finish(answer);
  }

  // Writes the response. The coordinator gives no shard that it cannot decode,
  // so an error here is one of ours.
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
  // Written by gRPC's thread, read by the pool's.
  std::atomic<bool> cancelled_{false};
};

IdleWorkers::IdleWorkers(const CallFrame& frame, absl::Duration hold)
    : frame_(frame), hold_(hold) {}

// Holds nothing by now: Stop has answered every call.
IdleWorkers::~IdleWorkers() = default;

grpc::ServerUnaryReactor* IdleWorkers::Synchronize(
    Coordinator& coordinator, const internal::v1::SynchronizeRequest& request,
    internal::v1::SynchronizeResponse& response) {
  // Begin may finish the call before gRPC has the pointer; gRPC puts that off
  // until the reactor is bound.
  auto* const call = new Call(*this, coordinator, response);
  call->Begin(request);
  return call;
}

void IdleWorkers::Wake() {
  std::vector<Call*> calls;
  {
    absl::MutexLock lock(&mu_);
    // First, so that a call which is asking at this moment asks again.
    ++version_;
    calls.assign(held_.begin(), held_.end());
    held_.clear();
  }
  // Not TryRun: these calls were admitted once, and dropping them would lose
  // the only party that answers them. All of them ask; who finds nothing is
  // held again.
  for (Call* call : calls) frame_.pool.Run([call] { call->Ask(); });
}

void IdleWorkers::Expire() {
  std::vector<Call*> calls;
  {
    absl::MutexLock lock(&mu_);
    // A linear look at every worker, twice a second: thousands are cheap.
    for (Call* call : held_) {
      if (call->due()) calls.push_back(call);
    }
    for (Call* call : calls) held_.erase(call);
  }
  // Asks instead of answering "nothing": a shard that became free since is
  // handed out.
  for (Call* call : calls) frame_.pool.Run([call] { call->Ask(); });
}

void IdleWorkers::Stop() {
  {
    absl::MutexLock lock(&mu_);
    // Before Wake: a call that asks again now can no longer be held.
    stopping_ = true;
  }
  Wake();
}

bool IdleWorkers::Hold(Call* call, uint64_t version) {
  absl::MutexLock lock(&mu_);
  // The three reasons are checked under the lock that Wake, Stop and Cancel
  // take, so that none of them can miss a call that is about to be held.
  if (stopping_ || version_ != version || call->cancelled()) return false;
  held_.insert(call);
  return true;
}

bool IdleWorkers::Cancel(Call* call) {
  absl::MutexLock lock(&mu_);
  // Erasing under the lock decides who finishes the call: this thread, or
  // whoever owns it because it is not in the set.
  call->NoteCancelled();
  return held_.erase(call) > 0;
}

// Takes the lock for an instant: a version that is old by the time it is used
// only makes a call ask once more.
uint64_t IdleWorkers::version() {
  absl::MutexLock lock(&mu_);
  return version_;
}

}  // namespace tessera::coordinator

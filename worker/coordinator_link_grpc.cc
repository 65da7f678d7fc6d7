#include "worker/coordinator_link_grpc.h"

#include <utility>

#include "common/log.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"
#include "grpc/support/time.h"
#include "worker/codec.h"

namespace tessera::worker {
namespace {

// Seconds after which a call has lost its coordinator: an idle call is held for
// half a minute at most, an executing one is answered at once.
constexpr int kIdleSeconds = 60;
constexpr int kExecutingSeconds = 10;
// Seconds for a commit, which waits for the store's disk.
constexpr int kCommitSeconds = 30;

// Sets a deadline on the monotonic clock, which no change of the time of day
// moves.
void SetTimeout(grpc::ClientContext& context, int seconds) {
  context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_seconds(seconds, GPR_TIMESPAN)));
}

}  // namespace

GrpcCoordinatorLink::GrpcCoordinatorLink(std::unique_ptr<Stub> stub,
                                         WorkerFacts facts)
    : stub_(std::move(stub)), facts_(std::move(facts)) {}

absl::StatusOr<SynchronizeAnswer> GrpcCoordinatorLink::Synchronize(
    const SynchronizeCall& call) {
  const internal::v1::SynchronizeRequest request = Encode(facts_, call);
  internal::v1::SynchronizeResponse response;
  grpc::ClientContext context;
  // Is held by the coordinator until there is work; a draining call is not, so
  // it must not be cancelled.
  const bool idle = !call.lease && !call.draining;
  SetTimeout(context, idle ? kIdleSeconds : kExecutingSeconds);
  if (idle) {
    // Registers the call before it starts, under the lock that EndIdleCalls
    // takes: it either refuses the call or can cancel it.
    absl::MutexLock lock(&mu_);
    if (refuse_idle_calls_) return absl::CancelledError("worker is draining");
    idle_call_ = &context;
  }
  const grpc::Status status = stub_->Synchronize(&context, request, &response);
  {
    // Forgets the context before it goes out of scope.
    absl::MutexLock lock(&mu_);
    idle_call_ = nullptr;
  }
  RETURN_IF_ERROR(rpc::FromGrpcStatus(status));
  return Decode(response);
}

absl::Status GrpcCoordinatorLink::CommitResults(const CommitCall& call) {
  const internal::v1::CommitResultsRequest request =
      Encode(facts_.worker_id, call);
  internal::v1::CommitResultsResponse response;
  grpc::ClientContext context;
  SetTimeout(context, kCommitSeconds);
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->CommitResults(&context, request, &response)));
  // Warns only: the first attempt's record stands, though equal bits were
  // promised.
  if (response.conflicting_tasks_size() > 0) {
    Log(Severity::kWarning, "pictures differ from an earlier attempt's",
        {{"job", call.lease.job_id},
         {"shard", call.lease.shard_index},
         {"images", response.conflicting_tasks_size()}});
  }
  return absl::OkStatus();
}

void GrpcCoordinatorLink::EndIdleCalls() {
  absl::MutexLock lock(&mu_);
  refuse_idle_calls_ = true;
  // Makes Synchronize return CANCELLED on its own thread; it does not wait for
  // it.
  if (idle_call_ != nullptr) idle_call_->TryCancel();
}

}  // namespace tessera::worker

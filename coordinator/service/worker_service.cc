#include "coordinator/service/worker_service.h"

#include "absl/status/status.h"
#include "common/status_macros.h"
#include "coordinator/service/worker_codec.h"

namespace tessera::coordinator {
namespace {

// Answers CommitResults; what is answered with OK is durable.
absl::StatusOr<internal::v1::CommitResultsResponse> Commit(
    const CallFrame& frame, Coordinator& coordinator,
    const internal::v1::CommitResultsRequest& proto) {
  ASSIGN_OR_RETURN(const CommitRequest request, DecodeCommit(proto));
  const absl::StatusOr<std::vector<int32_t>> conflicting =
      coordinator.CommitResults(request);
  // Counted apart from other errors: a few belong to every lost worker, many
  // mean that leases are too short.
  if (absl::IsAborted(conflicting.status())) frame.metrics.CountStaleCommit();
  RETURN_IF_ERROR(conflicting.status());
  internal::v1::CommitResultsResponse response;
  for (const int32_t task : *conflicting) {
    response.add_conflicting_tasks(task);
  }
  return response;
}

}  // namespace

WorkerService::WorkerService(const CallFrame& frame, Coordinator& coordinator,
                             IdleWorkers& idle)
    : frame_(frame), coordinator_(coordinator), idle_(idle) {}

// Not ServeUnary: this call may be held without occupying a thread.
grpc::ServerUnaryReactor* WorkerService::Synchronize(
    grpc::CallbackServerContext*,
    const internal::v1::SynchronizeRequest* request,
    internal::v1::SynchronizeResponse* response) {
  return idle_.Synchronize(coordinator_, *request, *response);
}

grpc::ServerUnaryReactor* WorkerService::CommitResults(
    grpc::CallbackServerContext* context,
    const internal::v1::CommitResultsRequest* request,
    internal::v1::CommitResultsResponse* response) {
  return ServeUnary(
      frame_, "CommitResults", context, response,
      [this, request] { return Commit(frame_, coordinator_, *request); });
}

}  // namespace tessera::coordinator

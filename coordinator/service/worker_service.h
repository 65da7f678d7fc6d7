// The worker protocol: decode, one call, encode.
#ifndef TESSERA_COORDINATOR_SERVICE_WORKER_SERVICE_H_
#define TESSERA_COORDINATOR_SERVICE_WORKER_SERVICE_H_

#include "coordinator/coordinator.h"
#include "coordinator/service/call_frame.h"
#include "coordinator/service/idle_workers.h"
#include "tessera/internal/v1/worker_service.grpc.pb.h"

namespace tessera::coordinator {

// Serves tessera.internal.v1.WorkerService. Thread-safe.
class WorkerService final
    : public internal::v1::WorkerService::CallbackService {
 public:
  // References must outlive the service and its calls.
  WorkerService(const CallFrame& frame, Coordinator& coordinator,
                IdleWorkers& idle);

  grpc::ServerUnaryReactor* Synchronize(
      grpc::CallbackServerContext* context,
      const internal::v1::SynchronizeRequest* request,
      internal::v1::SynchronizeResponse* response) override;
  grpc::ServerUnaryReactor* CommitResults(
      grpc::CallbackServerContext* context,
      const internal::v1::CommitResultsRequest* request,
      internal::v1::CommitResultsResponse* response) override;

 private:
  const CallFrame& frame_;
  Coordinator& coordinator_;
  IdleWorkers& idle_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_WORKER_SERVICE_H_

// The link over gRPC.
#ifndef TESSERA_WORKER_COORDINATOR_LINK_GRPC_H_
#define TESSERA_WORKER_COORDINATOR_LINK_GRPC_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/client_context.h"
#include "tessera/internal/v1/worker_service.grpc.pb.h"
#include "worker/coordinator_link.h"

namespace tessera::worker {

// Speaks tessera.internal.v1.WorkerService over a stub.
class GrpcCoordinatorLink final : public CoordinatorLink {
 public:
  using Stub = internal::v1::WorkerService::StubInterface;

  GrpcCoordinatorLink(std::unique_ptr<Stub> stub, WorkerFacts facts);

  absl::StatusOr<SynchronizeAnswer> Synchronize(
      const SynchronizeCall& call) override;
  absl::Status CommitResults(const CommitCall& call) override;
  void EndIdleCalls() override;

 private:
  // Shared by no other link; safe to call from several threads.
  const std::unique_ptr<Stub> stub_;
  // Repeated in every Synchronize call.
  const WorkerFacts facts_;
  absl::Mutex mu_;
  // Of the idle Synchronize call under way; null between calls.
  grpc::ClientContext* idle_call_ ABSL_GUARDED_BY(mu_) = nullptr;
  // Set by EndIdleCalls, never cleared.
  bool refuse_idle_calls_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_COORDINATOR_LINK_GRPC_H_

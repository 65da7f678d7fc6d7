// Calls of idle workers that are held until there is work.
#ifndef TESSERA_COORDINATOR_SERVICE_IDLE_WORKERS_H_
#define TESSERA_COORDINATOR_SERVICE_IDLE_WORKERS_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "coordinator/coordinator.h"
#include "coordinator/service/call_frame.h"
#include "grpcpp/support/server_callback.h"
#include "tessera/internal/v1/worker_service.pb.h"

namespace tessera::coordinator {

// Serves Synchronize; holds the calls that the coordinator lets wait, and asks
// it again when work appears or their time is over. Thread-safe.
class IdleWorkers {
 public:
  // A call is held for at most `hold`. Coordinator::Open wants a callback that
  // reaches `Wake`, so the coordinator is given per call.
  IdleWorkers(const CallFrame& frame, absl::Duration hold);
  ~IdleWorkers();

  // Starts to serve a call; the reactor deletes itself.
  grpc::ServerUnaryReactor* Synchronize(
      Coordinator& coordinator, const internal::v1::SynchronizeRequest& request,
      internal::v1::SynchronizeResponse& response);

  // Asks again for every held call: work has appeared.
  void Wake();

  // Answers the calls that were held long enough; call a few times a second.
  void Expire();

  // Answers all calls and holds none from now on.
  void Stop();

 private:
  class Call;

  // Holds `call` unless work appeared since `version`, it was cancelled, or
  // the service stops. Once held, the call belongs to whoever takes it.
  bool Hold(Call* call, uint64_t version);
  // Notes the cancellation; returns whether the call was held and is not now.
  bool Cancel(Call* call);
  uint64_t version();

  const CallFrame& frame_;
  const absl::Duration hold_;
  absl::Mutex mu_;
  absl::flat_hash_set<Call*> held_ ABSL_GUARDED_BY(mu_);
  uint64_t version_ ABSL_GUARDED_BY(mu_) = 0;  // grows when work appears
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_IDLE_WORKERS_H_

// The calls that follow jobs.
#ifndef TESSERA_COORDINATOR_SERVICE_JOB_WATCHERS_H_
#define TESSERA_COORDINATOR_SERVICE_JOB_WATCHERS_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "common/ids.h"
#include "coordinator/coordinator.h"
#include "coordinator/service/call_frame.h"
#include "grpcpp/support/server_callback.h"
#include "tessera/v1/job.pb.h"

namespace tessera::coordinator {

// Sends a job at once and, at each Pulse, if it changed. Thread-safe.
class JobWatchers {
 public:
  // References must outlive the watchers; destroy after the gRPC server.
  JobWatchers(const CallFrame& frame, Coordinator& coordinator);
  ~JobWatchers();

  // Starts to follow `job`; the reactor deletes itself. It ends after a
  // terminal state, NOT_FOUND for an unknown job, or UNAVAILABLE after Stop.
  grpc::ServerWriteReactor<v1::Job>* Watch(const JobId& job);

  // Looks at every followed job; call about twice a second.
  void Pulse();

  // Ends all calls, and those that come later.
  void Stop();

 private:
  class Call;

  void Remove(Call* call);

  const CallFrame& frame_;
  Coordinator& coordinator_;
  absl::Mutex mu_;
  absl::flat_hash_set<std::shared_ptr<Call>> calls_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_JOB_WATCHERS_H_

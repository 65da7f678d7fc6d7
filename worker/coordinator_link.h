// The worker's side of the protocol, without the protocol.
#ifndef TESSERA_WORKER_COORDINATOR_LINK_H_
#define TESSERA_WORKER_COORDINATOR_LINK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/session_messages.h"

namespace tessera::worker {

// Calls the coordinator. Errors are the service's or the connection's; each
// call ends by itself within about a minute. One call at a time.
class CoordinatorLink {
 public:
  virtual ~CoordinatorLink() = default;

  // Says what the worker does and returns what it is to do next. Blocks while
  // the coordinator holds an idle call.
  virtual absl::StatusOr<SynchronizeAnswer> Synchronize(
      const SynchronizeCall& call) = 0;
  // Hands results over; OK means that they are durable there.
  virtual absl::Status CommitResults(const CommitCall& call) = 0;

  // Ends the idle Synchronize call that the coordinator holds, if there is
  // one, and from now on refuses such calls, both with CANCELLED. Calls that
  // are executing or draining, and commits, go on. Safe from any thread.
  virtual void EndIdleCalls() = 0;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_COORDINATOR_LINK_H_

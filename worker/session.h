// The worker's conversation with the coordinator.
#ifndef TESSERA_WORKER_SESSION_H_
#define TESSERA_WORKER_SESSION_H_

#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "worker/coordinator_link.h"
#include "worker/metrics.h"
#include "worker/session_state.h"
#include "worker/shard_executor.h"

namespace tessera::worker {

// Does what SessionState says: synchronizes, commits, and lets the executor
// work on a thread of its own, so that making pictures never waits for the
// coordinator. While the coordinator is away, work goes on and the results are
// kept in memory.
//
// Run belongs to one thread; Drain is thread-safe. Everything handed in must
// outlive the session.
class Session {
 public:
  Session(CoordinatorLink& link, ShardExecutor& executor,
          WorkerMetrics& metrics, const SessionOptions& options, Clock& clock);
  ~Session();

  // Talks until the worker is drained, or until its device is lost and all that
  // can be saved is committed and given back. Says why the device was lost.
  absl::Status Run();

  // Asks to finish the pictures in flight, commit them, give the rest back and
  // return from Run.
  void Drain();

 private:
  class Listener;
  // Says that the executor has returned.
  struct Ended {};
  using Event = std::variant<TaskResult, Ended>;

  void Synchronize(const SynchronizeCall& call);
  void Commit(const CommitCall& call);
  void Wait(absl::Time until);
  void TakeEvents();
  void Obey(Order order);
  void JoinExecutor();
  void Push(Event event);

  CoordinatorLink& link_;
  ShardExecutor& executor_;
  WorkerMetrics& metrics_;
  Clock& clock_;

  // Of the thread in Run only.
  SessionState state_;
  // How the last calls ended, for the log.
  bool connected_ = true;
  absl::StatusCode commit_status_ = absl::StatusCode::kOk;
  std::optional<Assignment> assignment_;
  // Orders to the execution; lives until the next one starts.
  std::unique_ptr<ExecutionControl> control_;
  // Executes one assignment and ends.
  std::thread executor_thread_;

  absl::Mutex mu_;
  // What the executor's thread reported and the state has not heard.
  std::vector<Event> events_ ABSL_GUARDED_BY(mu_);
  // Set by Drain, never cleared.
  bool drain_ ABSL_GUARDED_BY(mu_) = false;
  // Why the device was lost.
  absl::Status device_lost_ ABSL_GUARDED_BY(mu_);
  // Whether the state has heard of the drain.
  bool drain_taken_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_SESSION_H_

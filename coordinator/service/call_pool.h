// Threads that serve calls, so that a call may wait for the store.
#ifndef TESSERA_COORDINATOR_SERVICE_CALL_POOL_H_
#define TESSERA_COORDINATOR_SERVICE_CALL_POOL_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tessera::coordinator {

// Runs functions on a fixed number of threads, in the order they came.
// gRPC has few threads of its own and they must not block. Thread-safe.
class CallPool {
 public:
  // At most `max_waiting` calls wait for a thread.
  CallPool(int threads, size_t max_waiting);

  // Runs what was taken, then joins.
  ~CallPool();

  // Takes `call`, unless too many wait: then returns false, and the caller
  // answers RESOURCE_EXHAUSTED.
  [[nodiscard]] bool TryRun(std::function<void()> call);

  // Takes `call` whatever waits: for calls that were admitted before.
  void Run(std::function<void()> call);

 private:
  void Serve();
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  const size_t max_waiting_;
  absl::Mutex mu_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_CALL_POOL_H_

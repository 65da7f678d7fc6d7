#include "coordinator/service/call_pool.h"

#include <utility>

namespace tessera::coordinator {

CallPool::CallPool(int threads, size_t max_waiting)
    : max_waiting_(max_waiting) {
  // Started last of all: Serve uses every member.
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Serve(); });
}

CallPool::~CallPool() {
  {
    absl::MutexLock lock(&mu_);
    // The mutex wakes whoever waits in Serve when it is unlocked.
    stopping_ = true;
  }
  // Joins outside of the lock, which the threads need in order to finish.
  for (std::thread& thread : threads_) thread.join();
}

bool CallPool::TryRun(std::function<void()> call) {
  absl::MutexLock lock(&mu_);
  // Bounds memory under overload (I10): a client that is refused backs off, one
  // that is queued for minutes would give up and call again.
  if (waiting_.size() >= max_waiting_) return false;
  waiting_.push_back(std::move(call));
  return true;
}

void CallPool::Run(std::function<void()> call) {
  absl::MutexLock lock(&mu_);
  waiting_.push_back(std::move(call));
}

// Called by absl::Condition with the lock held.
bool CallPool::HasWork() const { return stopping_ || !waiting_.empty(); }

// Serves calls, one at a time, until the pool stops and nothing waits: a call
// that was taken is always answered.
void CallPool::Serve() {
  while (true) {
    std::function<void()> call;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(this, &CallPool::HasWork));
      if (waiting_.empty()) return;
      call = std::move(waiting_.front());
      waiting_.pop_front();
    }
    // Without the lock: a call may block on the store for long, and may Run
    // another one.
    call();
  }
}

}  // namespace tessera::coordinator

#include "coordinator/service/call_pool.h"

#include <utility>

namespace tessera::coordinator {

CallPool::CallPool(int threads, size_t max_waiting)
    : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Serve(); });
}

CallPool::~CallPool() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool CallPool::TryRun(std::function<void()> call) {
  absl::MutexLock lock(&mu_);
  if (waiting_.size() >= max_waiting_) return false;
  waiting_.push_back(std::move(call));
  return true;
}

void CallPool::Run(std::function<void()> call) {
  absl::MutexLock lock(&mu_);
  waiting_.push_back(std::move(call));
}

bool CallPool::HasWork() const { return stopping_ || !waiting_.empty(); }

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
    call();
  }
}

}  // namespace tessera::coordinator

#include "tests/support/fake_clock.h"

#include <vector>

namespace tessera::testing {

absl::Time FakeClock::Now() {
  absl::MutexLock lock(&mu_);
  return now_;
}

bool FakeClock::AwaitWithTimeout(absl::Mutex& mu,
                                 const absl::Condition& condition,
                                 absl::Duration timeout) {
  if (condition.Eval()) return true;
  const absl::Time end = Now() + timeout;
  if (mode_ == Mode::kWaitsPassTime) {
    absl::MutexLock lock(&mu_);
    if (end > now_) now_ = end;
    return false;
  }
  {
    absl::MutexLock lock(&mu_);
    waiting_.insert(&mu);
  }
  const auto over = [&] { return condition.Eval() || Now() >= end; };
  mu.Await(absl::Condition(&over));
  {
    absl::MutexLock lock(&mu_);
    waiting_.erase(waiting_.find(&mu));
  }
  return condition.Eval();
}

void FakeClock::Advance(absl::Duration duration) {
  std::vector<absl::Mutex*> waiting;
  {
    absl::MutexLock lock(&mu_);
    now_ += duration;
    waiting.assign(waiting_.begin(), waiting_.end());
  }
  for (absl::Mutex* mutex : waiting) {
    mutex->Lock();  // unlocking makes its waiters look again
    mutex->Unlock();
  }
}

void FakeClock::AwaitWaiters(size_t count) {
  const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return waiting_.size() >= count;
  };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&enough));
}

}  // namespace tessera::testing

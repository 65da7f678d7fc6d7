// A clock that moves only when a test says so.
#ifndef TESSERA_TESTS_SUPPORT_FAKE_CLOCK_H_
#define TESSERA_TESTS_SUPPORT_FAKE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera {

// Starts at a fixed time. Waiting does not block: time jumps to the end of the
// timeout unless the condition holds already. Thread-safe.
class FakeClock final : public Clock {
 public:
  absl::Time Now() override {
    absl::MutexLock lock(&mu_);
    return now_;
  }

  bool AwaitWithTimeout(absl::Mutex& mu, const absl::Condition& condition,
                        absl::Duration timeout) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (condition.Eval()) return true;
    Advance(timeout);
    return condition.Eval();
  }

  void Advance(absl::Duration duration) {
    absl::MutexLock lock(&mu_);
    now_ += duration;
  }

 private:
  absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_) = absl::FromUnixSeconds(1'700'000'000);
};

}  // namespace tessera

#endif  // TESSERA_TESTS_SUPPORT_FAKE_CLOCK_H_

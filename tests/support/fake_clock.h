// A clock that moves only when a test says so.
#ifndef TESSERA_TESTS_SUPPORT_FAKE_CLOCK_H_
#define TESSERA_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <cstddef>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::testing {

// Starts at a fixed time. Thread-safe.
class FakeClock final : public Clock {
 public:
  // What a wait does whose condition does not hold.
  enum class Mode {
    kWaitsPassTime,  // moves time to the end of the wait and returns
    kWaitsBlock,     // waits for another thread to advance the clock
  };

  FakeClock() : FakeClock(Mode::kWaitsPassTime) {}
  explicit FakeClock(Mode mode) : mode_(mode) {}

  absl::Time Now() override;
  bool AwaitWithTimeout(absl::Mutex& mu, const absl::Condition& condition,
                        absl::Duration timeout) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  // Moves time and lets those that wait look again.
  void Advance(absl::Duration duration);

  // Blocks until `count` threads wait in AwaitWithTimeout.
  void AwaitWaiters(size_t count);

 private:
  const Mode mode_;
  absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_) = absl::FromUnixSeconds(1'700'000'000);
  std::multiset<absl::Mutex*> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::testing

#endif  // TESSERA_TESTS_SUPPORT_FAKE_CLOCK_H_

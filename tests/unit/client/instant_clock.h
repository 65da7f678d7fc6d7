// A clock on which waiting takes no time.
#ifndef TESSERA_TESTS_UNIT_CLIENT_INSTANT_CLOCK_H_
#define TESSERA_TESTS_UNIT_CLIENT_INSTANT_CLOCK_H_

#include "common/clock.h"

namespace tessera::client {

// Starts at the real time, so that deadlines of real calls lie in the future,
// and advances by every timeout that is waited for. Not thread-safe.
class InstantClock : public Clock {
 public:
  absl::Time Now() override { return now_; }

  bool AwaitWithTimeout(absl::Mutex& mu, const absl::Condition& condition,
                        absl::Duration timeout) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (!condition.Eval()) now_ += timeout;
    return condition.Eval();
  }

  // Lets `duration` pass.
  void Advance(absl::Duration duration) { now_ += duration; }

 private:
  absl::Time now_ = RealClock().Now();
};

}  // namespace tessera::client

#endif  // TESSERA_TESTS_UNIT_CLIENT_INSTANT_CLOCK_H_

// Time as a dependency: everything that reads a clock or waits takes a Clock.
#ifndef TESSERA_COMMON_CLOCK_H_
#define TESSERA_COMMON_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace tessera {

// Tells the time and waits. Thread-safe. Tests use tests/support/fake_clock.h.
class Clock {
 public:
  virtual ~Clock() = default;

  // Returns the current wall-clock time.
  virtual absl::Time Now() = 0;

  // Blocks until `condition` holds or `timeout` has passed, with `mu` held as
  // by Mutex::AwaitWithTimeout. Returns whether the condition holds.
  virtual bool AwaitWithTimeout(absl::Mutex& mu,
                                const absl::Condition& condition,
                                absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) = 0;
};

// Returns the machine's clock, which lives as long as the process.
Clock& RealClock();

}  // namespace tessera

#endif  // TESSERA_COMMON_CLOCK_H_

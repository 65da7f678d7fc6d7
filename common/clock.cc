#include "common/clock.h"

#include "absl/time/clock.h"

namespace tessera {
namespace {

// The only place that asks the machine for the time; a lint keeps it so, and
// therefore everything else can be tested with a clock that is not real.
class SystemClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
  bool AwaitWithTimeout(absl::Mutex& mu, const absl::Condition& condition,
                        absl::Duration timeout) override {
    return mu.AwaitWithTimeout(condition, timeout);
  }
};

}  // namespace

Clock& RealClock() {
  // Never destroyed: threads may ask for the time while the process ends.
  static SystemClock* const clock = new SystemClock;
  return *clock;
}

}  // namespace tessera

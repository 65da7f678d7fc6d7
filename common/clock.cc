#include "common/clock.h"

#include "absl/time/clock.h"

namespace tessera {
namespace {

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
  static SystemClock* const clock = new SystemClock;
  return *clock;
}

}  // namespace tessera

#include "client/retry.h"

#include <algorithm>

#include "absl/synchronization/mutex.h"

namespace tessera::client {
namespace {

// Short: most failures are a coordinator that is restarting just now.
constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
// Long enough to spare a struggling service, short enough to find it soon.
constexpr absl::Duration kLongestDelay = absl::Seconds(2);

}  // namespace

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    // The service may be away, restarting or overloaded. RESOURCE_EXHAUSTED
    // asks to come back later; ABORTED to try again. CANCELLED is a call that
    // came while the service shut down and was cut off: the client itself
    // cancels only what it then gives its own error.
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

absl::Duration RetryDelay(int attempt, double jitter) {
  // Limited before the shift, which would overflow.
  const int doublings = std::clamp(attempt - 1, 0, 10);
  const absl::Duration delay =
      std::min(kFirstDelay * (1 << doublings), kLongestDelay);
  // At least half the delay, so that jitter never makes it a busy loop.
  return delay * (0.5 + 0.5 * jitter);
}

void Pause(Clock& clock, absl::Duration duration) {
  // A condition that never holds turns a wait into a pause. Clock has no other
  // way to let time pass, so tests control this too.
  absl::Mutex mu;
  bool never = false;
  absl::MutexLock lock(&mu);
  clock.AwaitWithTimeout(mu, absl::Condition(&never), duration);
}

}  // namespace tessera::client

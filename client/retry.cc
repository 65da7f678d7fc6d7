#include "client/retry.h"

#include <algorithm>

#include "absl/synchronization/mutex.h"

namespace tessera::client {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
constexpr absl::Duration kLongestDelay = absl::Seconds(2);

}  // namespace

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

absl::Duration RetryDelay(int attempt, double jitter) {
  const int doublings = std::clamp(attempt - 1, 0, 10);
  const absl::Duration delay =
      std::min(kFirstDelay * (1 << doublings), kLongestDelay);
  return delay * (0.5 + 0.5 * jitter);
}

void Pause(Clock& clock, absl::Duration duration) {
  absl::Mutex mu;
  bool never = false;
  absl::MutexLock lock(&mu);
  clock.AwaitWithTimeout(mu, absl::Condition(&never), duration);
}

}  // namespace tessera::client

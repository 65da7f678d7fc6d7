#include "coordinator/retry_policy.h"

namespace tessera::coordinator {

bool IsRetryable(std::string_view code) {
  // What may pass by itself: a full disk, memory that others hold, a worker
  // that is being stopped. Everything else would fail the same way again.
  return code == "UNAVAILABLE" || code == "RESOURCE_EXHAUSTED" ||
         code == "ABORTED";
}

bool ShouldRetry(std::string_view code, int32_t attempts) {
  return IsRetryable(code) && attempts < kMaxTaskAttempts;
}

}  // namespace tessera::coordinator

// When a call that failed is made again, and after how long.
#ifndef TESSERA_CLIENT_RETRY_H_
#define TESSERA_CLIENT_RETRY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::client {

// Returns whether the same call may succeed later. UNKNOWN counts: it is what
// a connection cut by the death of the peer looks like.
bool IsTransient(const absl::Status& status);

// Returns how long to wait before try `attempt` (from 1): 100 ms that double
// up to 2 s, spread to 50..100 % by `jitter` in [0, 1), so that many clients
// do not return at the same instant.
absl::Duration RetryDelay(int attempt, double jitter);

// Blocks for `duration` of `clock`.
void Pause(Clock& clock, absl::Duration duration);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_RETRY_H_

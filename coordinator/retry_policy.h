// Which failures of a task deserve another attempt.
//
// Losing a worker is no failure of the task; coordinator_options.h says how
// often a shard may lose its lease.
#ifndef TESSERA_COORDINATOR_RETRY_POLICY_H_
#define TESSERA_COORDINATOR_RETRY_POLICY_H_

#include <cstdint>
#include <string_view>

namespace tessera::coordinator {

// Attempts that a task gets when each ends in a passing failure.
inline constexpr int32_t kMaxTaskAttempts = 3;

// The code of a task that outlived too many workers.
inline constexpr std::string_view kWorkerLost = "WORKER_LOST";

// The code of a task whose prompts can no longer be read.
inline constexpr std::string_view kDataLoss = "DATA_LOSS";

// Returns whether a failure with this canonical code name may pass by itself:
// UNAVAILABLE, RESOURCE_EXHAUSTED and ABORTED. Every other code, unknown ones
// included, would fail again.
bool IsRetryable(std::string_view code);

// Returns whether a task that failed for the `attempts`-th time (from 1) is
// tried again.
bool ShouldRetry(std::string_view code, int32_t attempts);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_RETRY_POLICY_H_

// Checks and compares what workers commit.
#ifndef TESSERA_COORDINATOR_TASK_RESULT_H_
#define TESSERA_COORDINATOR_TASK_RESULT_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/job.h"

namespace tessera::coordinator {

// Checks results for a shard of `pictures` tasks. Errors: INVALID_ARGUMENT for
// a task outside the shard, a picture whose path is not below images/ or whose
// digest is not SHA-256, a failure without code.
absl::Status ValidateResults(const std::vector<TaskResult>& results,
                             int32_t pictures);

// Returns whether both are pictures with equal digests, or failures with equal
// codes.
bool SameOutcome(const TaskResult& a, const TaskResult& b);

// Returns whether both are pictures and their digests differ.
bool DifferentDigest(const TaskResult& a, const TaskResult& b);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_TASK_RESULT_H_

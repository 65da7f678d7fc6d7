// The passing failures of a shard's tasks.
//
// An attempt counts once a lease, however often its failure is committed, so
// that a repeated commit changes nothing.
#ifndef TESSERA_COORDINATOR_TASK_ATTEMPTS_H_
#define TESSERA_COORDINATOR_TASK_ATTEMPTS_H_

#include <cstdint>

#include "coordinator/job.h"

namespace tessera::coordinator {

// Counts a failure of `task` under the shard's newest lease, unless it was
// counted. Returns the attempts so far.
int32_t CountAttempt(Shard& shard, int32_t task);

// Forgets the attempts of a task that ended.
void ForgetAttempts(Shard& shard, int32_t task);

// Returns whether `task` failed under the shard's newest lease and waits for
// another.
bool AttemptedUnderLease(const Shard& shard, int32_t task);

// Returns whether every unfinished task failed under the newest lease: it has
// nothing left to do.
bool LeaseIsSpent(const Shard& shard);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_TASK_ATTEMPTS_H_

#include "coordinator/task_attempts.h"

#include <algorithm>
#include <vector>

namespace tessera::coordinator {

// Linear: few tasks of a shard fail, and the list is stored with it.
int32_t CountAttempt(Shard& shard, int32_t task) {
  auto it = std::find_if(
      shard.attempts.begin(), shard.attempts.end(),
      [task](const TaskAttempts& attempts) { return attempts.task == task; });
  if (it == shard.attempts.end()) {
    it = shard.attempts.insert(it, {.task = task});
  }
  // A lease counts once, so that a commit whose answer was lost and which is
  // sent again does not use up the attempts. A new entry counts in any case.
  if (it->attempts == 0 || it->last_epoch != shard.epoch) it->attempts += 1;
  it->last_epoch = shard.epoch;
  return it->attempts;
}

// What ended needs no memory of how; keeps the stored list short.
void ForgetAttempts(Shard& shard, int32_t task) {
  std::erase_if(shard.attempts, [task](const TaskAttempts& attempts) {
    return attempts.task == task;
  });
}

// Whether the failure of an earlier commit under this lease is known already.
bool AttemptedUnderLease(const Shard& shard, int32_t task) {
  return std::any_of(shard.attempts.begin(), shard.attempts.end(),
                     [&](const TaskAttempts& attempts) {
                       return attempts.task == task &&
                              attempts.last_epoch == shard.epoch;
                     });
}

bool LeaseIsSpent(const Shard& shard) {
  // Counts by lease: failures of earlier leases are to be tried in this one.
  const int64_t attempted =
      std::count_if(shard.attempts.begin(), shard.attempts.end(),
                    [&](const TaskAttempts& attempts) {
                      return attempts.last_epoch == shard.epoch;
                    });
  // Attempts are forgotten when a task ends, so all of them are unfinished. A
  // complete shard is spent too: nothing is left.
  return attempted == shard.pictures() - shard.finished.Count();
}

}  // namespace tessera::coordinator

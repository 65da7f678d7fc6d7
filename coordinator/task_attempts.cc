#include "coordinator/task_attempts.h"

#include <algorithm>
#include <vector>

namespace tessera::coordinator {

int32_t CountAttempt(Shard& shard, int32_t task) {
  auto it = std::find_if(
      shard.attempts.begin(), shard.attempts.end(),
      [task](const TaskAttempts& attempts) { return attempts.task == task; });
  if (it == shard.attempts.end()) {
    it = shard.attempts.insert(it, {.task = task});
  }
  if (it->attempts == 0 || it->last_epoch != shard.epoch) it->attempts += 1;
  it->last_epoch = shard.epoch;
  return it->attempts;
}

void ForgetAttempts(Shard& shard, int32_t task) {
  std::erase_if(shard.attempts, [task](const TaskAttempts& attempts) {
    return attempts.task == task;
  });
}

bool AttemptedUnderLease(const Shard& shard, int32_t task) {
  return std::any_of(shard.attempts.begin(), shard.attempts.end(),
                     [&](const TaskAttempts& attempts) {
                       return attempts.task == task &&
                              attempts.last_epoch == shard.epoch;
                     });
}

bool LeaseIsSpent(const Shard& shard) {
  const int64_t attempted =
      std::count_if(shard.attempts.begin(), shard.attempts.end(),
                    [&](const TaskAttempts& attempts) {
                      return attempts.last_epoch == shard.epoch;
                    });
  return attempted == shard.pictures() - shard.finished.Count();
}

}  // namespace tessera::coordinator

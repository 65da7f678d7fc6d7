// When a seal that failed is tried again.
#ifndef TESSERA_COORDINATOR_SEAL_QUEUE_H_
#define TESSERA_COORDINATOR_SEAL_QUEUE_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids.h"

namespace tessera::coordinator {

// Remembers the jobs whose seal failed. Kept in memory only: after a restart
// every seal is tried at once. Thread-compatible.
class SealQueue {
 public:
  // Returns whether the job's seal may be tried at `now`.
  bool IsDue(const JobId& job, absl::Time now) const;

  // Notes a failed try: the next one is due after a delay that doubles from a
  // second to a minute.
  void Fail(const JobId& job, const absl::Status& why, absl::Time now);

  // Returns why the last try failed, for a person; empty when none did.
  std::string Failure(const JobId& job) const;

  // Forgets a job that was sealed.
  void Forget(const JobId& job);

 private:
  struct Failed {
    std::string message;
    absl::Time due;
    absl::Duration delay = absl::ZeroDuration();
  };

  absl::flat_hash_map<JobId, Failed> failed_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SEAL_QUEUE_H_

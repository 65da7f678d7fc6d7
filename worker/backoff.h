// How long to wait before a failed call is tried again.
#ifndef TESSERA_WORKER_BACKOFF_H_
#define TESSERA_WORKER_BACKOFF_H_

#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace tessera::worker {

// Exponential backoff with full jitter: the wait is drawn uniformly from zero
// to a bound that doubles with every failure, so that workers which failed
// together do not come back together (Brooker, "Exponential Backoff And
// Jitter", 2015). Thread-compatible.
class Backoff {
 public:
  // The bound starts at `first` and stops growing at `longest`.
  Backoff(absl::Duration first, absl::Duration longest, uint32_t seed);

  // Returns the wait before the next try after one more failure.
  absl::Duration Next();

  // Forgets the failures: the last call went well.
  void Reset();

  // Returns the failures since the last success.
  int failures() const { return failures_; }

 private:
  // The bound after the first failure, and the one it never exceeds.
  const absl::Duration first_;
  const absl::Duration longest_;
  std::minstd_rand random_;
  int failures_ = 0;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_BACKOFF_H_

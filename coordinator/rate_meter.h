// How fast something happened lately.
#ifndef TESSERA_COORDINATOR_RATE_METER_H_
#define TESSERA_COORDINATOR_RATE_METER_H_

#include <cstdint>
#include <deque>

#include "absl/time/time.h"

namespace tessera::coordinator {

// Counts events over the last minute in buckets of a second.
// Thread-compatible.
class RateMeter {
 public:
  // Counts `events` at `now`; times do not go back.
  void Add(absl::Time now, int64_t events);

  // Returns events a second over the last minute, or since the first event if
  // that is later; 0 when there were none.
  double PerSecond(absl::Time now) const;

 private:
  struct Bucket {
    absl::Time start;
    int64_t events = 0;
  };

  std::deque<Bucket> buckets_;
  absl::Time first_ = absl::InfiniteFuture();
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_RATE_METER_H_

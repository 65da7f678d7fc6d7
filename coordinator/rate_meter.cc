#include "coordinator/rate_meter.h"

#include <algorithm>

namespace tessera::coordinator {
namespace {

// A minute smooths over the seconds in which no picture happens to end.
constexpr absl::Duration kWindow = absl::Minutes(1);
// About 60 buckets a window, whatever the rate.
constexpr absl::Duration kBucket = absl::Seconds(1);

}  // namespace

void RateMeter::Add(absl::Time now, int64_t events) {
  // A bucket without events would only cost.
  if (events == 0) return;
  first_ = std::min(first_, now);
  // A bucket starts with its first event, so there are fewer when it is quiet.
  if (buckets_.empty() || now - buckets_.back().start >= kBucket) {
    buckets_.push_back({.start = now});
  }
  buckets_.back().events += events;
  // Bounds the memory of a job that runs for weeks.
  while (buckets_.front().start <= now - kWindow) buckets_.pop_front();
}

double RateMeter::PerSecond(absl::Time now) const {
  int64_t events = 0;
  // Those that grew old since the last Add still stand here.
  for (const Bucket& bucket : buckets_) {
    if (bucket.start > now - kWindow) events += bucket.events;
  }
  if (events == 0) return 0;
  // At least one bucket, so that the first events are no infinite rate.
  const absl::Duration span = std::clamp(now - first_, kBucket, kWindow);
  return static_cast<double>(events) / absl::ToDoubleSeconds(span);
}

}  // namespace tessera::coordinator

#include "coordinator/rate_meter.h"

#include <algorithm>

namespace tessera::coordinator {
namespace {

constexpr absl::Duration kWindow = absl::Minutes(1);
constexpr absl::Duration kBucket = absl::Seconds(1);

}  // namespace

void RateMeter::Add(absl::Time now, int64_t events) {
  if (events == 0) return;
  first_ = std::min(first_, now);
  if (buckets_.empty() || now - buckets_.back().start >= kBucket) {
    buckets_.push_back({.start = now});
  }
  buckets_.back().events += events;
  while (buckets_.front().start <= now - kWindow) buckets_.pop_front();
}

double RateMeter::PerSecond(absl::Time now) const {
  int64_t events = 0;
  for (const Bucket& bucket : buckets_) {
    if (bucket.start > now - kWindow) events += bucket.events;
  }
  if (events == 0) return 0;
  // At least one bucket, so that the first events are no infinite rate.
  const absl::Duration span = std::clamp(now - first_, kBucket, kWindow);
  return static_cast<double>(events) / absl::ToDoubleSeconds(span);
}

}  // namespace tessera::coordinator

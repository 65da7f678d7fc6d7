#include "worker/backoff.h"

#include <algorithm>

namespace tessera::worker {

Backoff::Backoff(absl::Duration first, absl::Duration longest, uint32_t seed)
    : first_(first), longest_(longest), random_(seed) {}

absl::Duration Backoff::Next() {
  absl::Duration bound = first_;
  // Stops doubling at the longest wait, so that a long outage overflows
  // nothing.
  for (int i = 0; i < failures_ && bound < longest_; ++i) bound *= 2;
  // Counts after the bound is fixed: the first wait is at most `first`.
  ++failures_;
  // Draws from zero on ("full jitter"): the mean wait is half of the bound.
  return std::min(bound, longest_) *
         std::uniform_real_distribution<double>(0, 1)(random_);
}

void Backoff::Reset() { failures_ = 0; }

}  // namespace tessera::worker

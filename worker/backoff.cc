#include "worker/backoff.h"

#include <algorithm>

namespace tessera::worker {

Backoff::Backoff(absl::Duration first, absl::Duration longest, uint32_t seed)
    : first_(first), longest_(longest), random_(seed) {}

absl::Duration Backoff::Next() {
  absl::Duration bound = first_;
  for (int i = 0; i < failures_ && bound < longest_; ++i) bound *= 2;
  ++failures_;
  return std::min(bound, longest_) *
         std::uniform_real_distribution<double>(0, 1)(random_);
}

void Backoff::Reset() { failures_ = 0; }

}  // namespace tessera::worker

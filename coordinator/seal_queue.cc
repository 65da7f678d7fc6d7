#include "coordinator/seal_queue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace tessera::coordinator {
namespace {

// Most failures pass in a moment; the first retry is quick.
constexpr absl::Duration kFirstDelay = absl::Seconds(1);
// A full disk lasts, and each try reads all shards again; still soon enough
// after somebody has made room.
constexpr absl::Duration kLongestDelay = absl::Minutes(1);

}  // namespace

bool SealQueue::IsDue(const JobId& job, absl::Time now) const {
  // A job that never failed is due at once.
  const auto it = failed_.find(job);
  return it == failed_.end() || it->second.due <= now;
}

void SealQueue::Fail(const JobId& job, const absl::Status& why,
                     absl::Time now) {
  Failed& failed = failed_[job];
  // The clamp makes the first delay out of zero.
  failed.delay = std::clamp(failed.delay * 2, kFirstDelay, kLongestDelay);
  failed.due = now + failed.delay;
  // For the job's message: clients see why it does not end.
  failed.message = absl::StrCat(
      "the manifest cannot be written and is tried again: ", why.message());
  // Logged once a try, and tries become rare.
  Log(Severity::kError, "seal failed",
      {{"job", job.value()}, {"error", why}, {"retry_in", failed.delay}});
}

std::string SealQueue::Failure(const JobId& job) const {
  const auto it = failed_.find(job);
  return it == failed_.end() ? std::string() : it->second.message;
}

void SealQueue::Forget(const JobId& job) { failed_.erase(job); }

}  // namespace tessera::coordinator

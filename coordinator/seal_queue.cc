#include "coordinator/seal_queue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace tessera::coordinator {
namespace {

constexpr absl::Duration kFirstDelay = absl::Seconds(1);
constexpr absl::Duration kLongestDelay = absl::Minutes(1);

}  // namespace

bool SealQueue::IsDue(const JobId& job, absl::Time now) const {
  const auto it = failed_.find(job);
  return it == failed_.end() || it->second.due <= now;
}

void SealQueue::Fail(const JobId& job, const absl::Status& why,
                     absl::Time now) {
  Failed& failed = failed_[job];
  failed.delay = std::clamp(failed.delay * 2, kFirstDelay, kLongestDelay);
  failed.due = now + failed.delay;
  failed.message = absl::StrCat(
      "the manifest cannot be written and is tried again: ", why.message());
  Log(Severity::kError, "seal failed",
      {{"job", job.value()}, {"error", why}, {"retry_in", failed.delay}});
}

std::string SealQueue::Failure(const JobId& job) const {
  const auto it = failed_.find(job);
  return it == failed_.end() ? std::string() : it->second.message;
}

void SealQueue::Forget(const JobId& job) { failed_.erase(job); }

}  // namespace tessera::coordinator

#include "worker/resuming_source.h"

#include "common/log.h"
#include "worker/backoff.h"

namespace tessera::worker {
namespace {

// Says whether the same call may go well later.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

// Keeps no state of a fetch: each has its own offset and backoff.
ResumingSource::ResumingSource(lora::BlobSource& source,
                               const ResumeOptions& options, Clock& clock)
    : source_(source), options_(options), clock_(clock) {}

absl::Status ResumingSource::Fetch(const std::string& sha256, int64_t offset,
                                   const lora::BlobSink& sink) {
  // Counts what the sink took: a byte is never handed to it twice.
  Backoff backoff(options_.first_backoff, options_.longest_backoff,
                  options_.jitter_seed);
  absl::Status sunk;  // how the sink took the last bytes
  const auto count = [&](std::string_view bytes) {
    sunk = sink(bytes);
    if (sunk.ok()) offset += static_cast<int64_t>(bytes.size());
    return sunk;
  };
  while (true) {
    const int64_t begin = offset;
    const absl::Status status = source_.Fetch(sha256, offset, count);
    // The sink's own errors are not the source's, whatever their code.
    if (!sunk.ok()) return sunk;
    if (status.ok() || !MayPass(status)) return status;
    // Progress shows that the source lives, however often it breaks off.
    if (offset > begin) backoff.Reset();
    if (backoff.failures() + 1 >= options_.tries) return status;
    const absl::Duration wait = backoff.Next();
    // One line for a source that stays away, not one a try.
    if (backoff.failures() == 1) {
      Log(Severity::kWarning, "fetching a LoRA broke off, resuming",
          {{"sha256", sha256}, {"offset", offset}, {"status", status}});
    }
    if (!WaitUnlessStopped(wait)) {
      return absl::CancelledError("told to stop while fetching");
    }
  }
}

void ResumingSource::Stop() {
  // First no new try, then the one under way.
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
  }
  source_.Stop();
}

// Lets `duration` pass. Returns whether to go on.
bool ResumingSource::WaitUnlessStopped(absl::Duration duration) {
  absl::MutexLock lock(&mu_);
  return !clock_.AwaitWithTimeout(mu_, absl::Condition(&stopped_), duration);
}

}  // namespace tessera::worker

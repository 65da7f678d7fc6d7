// Fetches that go on where a broken connection left them.
#ifndef TESSERA_WORKER_RESUMING_SOURCE_H_
#define TESSERA_WORKER_RESUMING_SOURCE_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "worker/lora/blob_source.h"

namespace tessera::worker {

// How a broken fetch is tried again.
struct ResumeOptions {
  // Bounds of the wait before the next try.
  absl::Duration first_backoff = absl::Milliseconds(100);
  absl::Duration longest_backoff = absl::Seconds(5);
  // Tries in a row that bring no byte, until the fetch fails: about a minute,
  // in which a coordinator has restarted.
  int tries = 20;
  uint32_t jitter_seed = 1;
};

// Creates a decorator for BlobSource that resumes at the next byte when the
// source is UNAVAILABLE or takes too long (DEADLINE_EXCEEDED), after a wait
// with backoff. Any byte that comes resets the count of tries. Source and clock
// must outlive it. Thread-safe as the source is.
class ResumingSource final : public lora::BlobSource {
 public:
  ResumingSource(lora::BlobSource& source, const ResumeOptions& options,
                 Clock& clock);

  absl::Status Fetch(const std::string& sha256, int64_t offset,
                     const lora::BlobSink& sink) override;
  void Stop() override;

 private:
  bool WaitUnlessStopped(absl::Duration duration);

  lora::BlobSource& source_;
  const ResumeOptions options_;
  Clock& clock_;
  absl::Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_RESUMING_SOURCE_H_

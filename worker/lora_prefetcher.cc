#include "worker/lora_prefetcher.h"

#include "common/log.h"

namespace tessera::worker {

LoraPrefetcher::LoraPrefetcher(lora::NodeCache& cache)
    : cache_(cache), thread_([this] { Run(); }) {}

LoraPrefetcher::~LoraPrefetcher() {
  // What is wanted and has not begun is dropped.
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
  }
  thread_.join();
}

void LoraPrefetcher::Want(std::vector<std::string> digests) {
  // The newest lease knows best; the thread wakes when the lock is released.
  absl::MutexLock lock(&mu_);
  wanted_.assign(digests.begin(), digests.end());
}

void LoraPrefetcher::AwaitIdle() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &LoraPrefetcher::IsIdle));
}

// Takes one digest after the other until the prefetcher ends.
void LoraPrefetcher::Run() {
  while (true) {
    std::string digest;
    {
      absl::MutexLock lock(&mu_);
      fetching_ = false;
      mu_.Await(absl::Condition(this, &LoraPrefetcher::HasWork));
      if (ending_) return;
      digest = wanted_.front();
      wanted_.pop_front();
      fetching_ = true;
    }
    // Without the lock, and without keeping the file: it is only to be there.
    const absl::Status status = cache_.Open(digest).status();
    // The picture that needs it tries again and tells its user.
    if (!status.ok() && !absl::IsCancelled(status)) {
      Log(Severity::kWarning, "cannot fetch a LoRA ahead",
          {{"status", status}});
    }
  }
}

}  // namespace tessera::worker

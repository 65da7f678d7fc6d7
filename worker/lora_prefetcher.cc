#include "worker/lora_prefetcher.h"

#include "common/log.h"

namespace tessera::worker {

LoraPrefetcher::LoraPrefetcher(lora::NodeCache& cache)
    : cache_(cache), thread_([this] { Run(); }) {}

LoraPrefetcher::~LoraPrefetcher() {
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
  }
  thread_.join();
}

void LoraPrefetcher::Want(std::vector<std::string> digests) {
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
    const absl::Status status = cache_.Open(digest).status();
    if (!status.ok() && !absl::IsCancelled(status)) {
      Log(Severity::kWarning, "cannot fetch a LoRA ahead",
          {{"status", status}});
    }
  }
}

}  // namespace tessera::worker

// Brings LoRA files to the node before they are needed.
#ifndef TESSERA_WORKER_LORA_PREFETCHER_H_
#define TESSERA_WORKER_LORA_PREFETCHER_H_

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "worker/lora/node_cache.h"

namespace tessera::worker {

// Fetches files on a thread of its own while pictures are made. A failure is
// logged and otherwise left to the picture that needs the file. Thread-safe.
class LoraPrefetcher {
 public:
  // `cache` must outlive it.
  explicit LoraPrefetcher(lora::NodeCache& cache);
  // Waits for the fetch under way, which NodeCache::Stop ends.
  ~LoraPrefetcher();

  // Fetches the files with these digests, in order; what was wanted before and
  // has not begun is dropped.
  void Want(std::vector<std::string> digests);

  // Waits until nothing is wanted or under way; for tests.
  void AwaitIdle();

 private:
  void Run();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return ending_ || !wanted_.empty();
  }
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !fetching_ && wanted_.empty();
  }

  lora::NodeCache& cache_;
  absl::Mutex mu_;
  std::deque<std::string> wanted_ ABSL_GUARDED_BY(mu_);
  bool fetching_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_LORA_PREFETCHER_H_

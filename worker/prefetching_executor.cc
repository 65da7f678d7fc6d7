#include "worker/prefetching_executor.h"

#include <set>

namespace tessera::worker {

std::vector<std::string> LorasToFetch(const Assignment& assignment) {
  std::vector<std::string> digests;
  std::set<std::string> seen;
  const auto add = [&](const std::string& sha256) {
    // A LoRA without a digest is a file that this worker was given.
    if (!sha256.empty() && seen.insert(sha256).second) {
      digests.push_back(sha256);
    }
  };
  // What is needed now comes before what may be needed later.
  for (const ImageTask& task : assignment.tasks) {
    for (const LoraUse& lora : task.loras) add(lora.sha256);
  }
  for (const std::string& sha256 : assignment.prefetch_loras) add(sha256);
  return digests;
}

PrefetchingExecutor::PrefetchingExecutor(ShardExecutor& executor,
                                         LoraPrefetcher* prefetcher)
    : executor_(executor), prefetcher_(prefetcher) {}

void PrefetchingExecutor::Execute(const Assignment& assignment,
                                  ExecutionControl& control,
                                  ExecutionListener& listener) {
  // Returns at once; the first picture waits only for its own LoRAs, as they
  // come.
  if (prefetcher_ != nullptr) prefetcher_->Want(LorasToFetch(assignment));
  executor_.Execute(assignment, control, listener);
}

}  // namespace tessera::worker

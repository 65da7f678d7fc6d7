// Has LoRAs fetched while pictures are made.
#ifndef TESSERA_WORKER_PREFETCHING_EXECUTOR_H_
#define TESSERA_WORKER_PREFETCHING_EXECUTOR_H_

#include <string>
#include <vector>

#include "worker/assignment.h"
#include "worker/lora_prefetcher.h"
#include "worker/shard_executor.h"

namespace tessera::worker {

// Returns the digests of the registry's LoRAs that an assignment needs, each
// once in the order of first use, then those that the next one will need.
std::vector<std::string> LorasToFetch(const Assignment& assignment);

// Creates a decorator for ShardExecutor that, before it executes a shard, tells
// the prefetcher, where there is one, what this one and the next need. Both
// arguments must outlive it.
class PrefetchingExecutor final : public ShardExecutor {
 public:
  PrefetchingExecutor(ShardExecutor& executor, LoraPrefetcher* prefetcher);

  void Execute(const Assignment& assignment, ExecutionControl& control,
               ExecutionListener& listener) override;

 private:
  ShardExecutor& executor_;
  LoraPrefetcher* const prefetcher_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PREFETCHING_EXECUTOR_H_

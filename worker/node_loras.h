// The node's LoRA cache as one worker uses it.
#ifndef TESSERA_WORKER_NODE_LORAS_H_
#define TESSERA_WORKER_NODE_LORAS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "worker/lora/blob_source.h"
#include "worker/lora/cache_events.h"
#include "worker/lora/node_cache.h"
#include "worker/lora_prefetcher.h"

namespace tessera::worker {

// The cache and the thread that fills it ahead. Thread-safe.
class NodeLoras {
 public:
  // Opens the cache in `folder`, bounded by `bytes`. What is handed in must
  // outlive it. Errors: as of NodeCache::Create.
  static absl::StatusOr<std::unique_ptr<NodeLoras>> Open(
      const std::string& folder, int64_t bytes, lora::BlobSource& source,
      lora::CacheEvents& events, Clock& clock);

  // Stops the source and ends the fetch under way.
  ~NodeLoras();

  // Both live as long as this.
  lora::NodeCache& cache() { return *cache_; }
  LoraPrefetcher& prefetcher() { return prefetcher_; }

 private:
  explicit NodeLoras(std::unique_ptr<lora::NodeCache> cache);

  const std::unique_ptr<lora::NodeCache> cache_;
  LoraPrefetcher prefetcher_;  // uses the cache, so it ends before it
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_NODE_LORAS_H_

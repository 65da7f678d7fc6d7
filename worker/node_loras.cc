#include "worker/node_loras.h"

#include <utility>

#include "common/status_macros.h"

namespace tessera::worker {

absl::StatusOr<std::unique_ptr<NodeLoras>> NodeLoras::Open(
    const std::string& folder, int64_t bytes, lora::BlobSource& source,
    lora::CacheEvents& events, Clock& clock) {
  // Patience is the cache's own.
  const lora::CacheBound bound = {.bytes = bytes};
  ASSIGN_OR_RETURN(
      std::unique_ptr<lora::NodeCache> cache,
      lora::NodeCache::Create(folder, bound, source, lora::RealCacheDisk(),
                              events, clock));
  return std::unique_ptr<NodeLoras>(new NodeLoras(std::move(cache)));
}

// Starts the thread that fetches ahead.
NodeLoras::NodeLoras(std::unique_ptr<lora::NodeCache> cache)
    : cache_(std::move(cache)), prefetcher_(*cache_) {}

NodeLoras::~NodeLoras() {
  // Before the prefetcher is joined, which may wait for a file of gigabytes.
  cache_->Stop();
}

}  // namespace tessera::worker

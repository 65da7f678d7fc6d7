// The LoRAs that a worker has parsed and at hand.
#ifndef TESSERA_WORKER_LORA_ADAPTER_CACHE_H_
#define TESSERA_WORKER_LORA_ADAPTER_CACHE_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "worker/lora/cache_events.h"
#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// What an adapter was made from: each combination is one of its own.
struct AdapterKey {
  std::string file;   // its digest, or the path of one without
  std::string model;  // the folder of the model that it is bound to
  bool allow_unmatched = false;

  friend auto operator<=>(const AdapterKey&, const AdapterKey&) = default;
};

// Keeps parsed adapters within a bound and forgets those used longest ago. What
// running pictures use is not forgotten: it would stay in memory anyway, and
// may exceed the bound while they run. Thread-compatible.
class AdapterCache {
 public:
  using Weights = std::shared_ptr<const model::AdapterWeights>;

  // `bytes` bounds what is kept. `events` must outlive the cache.
  AdapterCache(int64_t bytes, CacheEvents& events);

  // Returns the adapter, which is now the one used last, or null.
  Weights Find(const AdapterKey& key);

  // Keeps an adapter of `bytes` in memory that Find did not have.
  void Insert(const AdapterKey& key, Weights weights, int64_t bytes);

  int64_t bytes() const { return bytes_; }

 private:
  // An adapter and what it counts.
  struct Entry {
    AdapterKey key;
    Weights weights;
    int64_t bytes = 0;
  };

  void Evict();

  const int64_t bound_;
  CacheEvents& events_;
  std::list<Entry> entries_;  // the one used last is first
  std::map<AdapterKey, std::list<Entry>::iterator> places_;
  int64_t bytes_ = 0;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_CACHE_H_

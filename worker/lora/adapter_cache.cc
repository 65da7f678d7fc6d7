#include "worker/lora/adapter_cache.h"

#include <utility>

#include "common/check.h"

namespace tessera::lora {

AdapterCache::AdapterCache(int64_t bytes, CacheEvents& events)
    : bound_(bytes), events_(events) {}

AdapterCache::Weights AdapterCache::Find(const AdapterKey& key) {
  const auto place = places_.find(key);
  if (place == places_.end()) {
    events_.OnMiss();
    return nullptr;
  }
  // Moves it to the front, where Evict comes last.
  events_.OnHit();
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->weights;
}

void AdapterCache::Insert(const AdapterKey& key, Weights weights,
                          int64_t bytes) {
  // Evicts afterwards: the caller holds the new one, which therefore stays.
  entries_.push_front({key, std::move(weights), bytes});
  // Find comes before Insert, so that the key is new.
  CHECK(places_.emplace(key, entries_.begin()).second);
  bytes_ += bytes;
  Evict();
  events_.OnBytes(bytes_);
}

// Forgets adapters until the rest fits or only those in use are left.
void AdapterCache::Evict() {
  // From the back; the first is the one that was asked for just now.
  for (auto entry = entries_.end(); bytes_ > bound_;) {
    if (--entry == entries_.begin()) break;
    // Somebody else holds it: forgetting it would free nothing.
    if (entry->weights.use_count() > 1) continue;
    bytes_ -= entry->bytes;
    places_.erase(entry->key);
    entry = entries_.erase(entry);
    events_.OnEviction();
  }
}

}  // namespace tessera::lora

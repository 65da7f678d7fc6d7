// A cache's events, counted.
#ifndef TESSERA_TESTS_UNIT_WORKER_LORA_COUNTING_EVENTS_H_
#define TESSERA_TESTS_UNIT_WORKER_LORA_COUNTING_EVENTS_H_

#include <cstdint>

#include "worker/lora/cache_events.h"

namespace tessera::lora {

// Counts what it hears, from one thread at a time.
class CountingEvents final : public CacheEvents {
 public:
  void OnHit() override { ++hits; }
  void OnMiss() override { ++misses; }
  void OnEviction() override { ++evictions; }
  void OnBytes(int64_t held) override { bytes = held; }
  void OnLoad(absl::Duration) override { ++loads; }

  int hits = 0;
  int misses = 0;
  int evictions = 0;
  int loads = 0;
  int64_t bytes = -1;
};

}  // namespace tessera::lora

#endif  // TESSERA_TESTS_UNIT_WORKER_LORA_COUNTING_EVENTS_H_

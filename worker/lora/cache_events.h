// What a tier of the LoRA cache tells about itself.
#ifndef TESSERA_WORKER_LORA_CACHE_EVENTS_H_
#define TESSERA_WORKER_LORA_CACHE_EVENTS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace tessera::lora {

// Hears what one tier does; metrics stand behind it. Thread-safe.
class CacheEvents {
 public:
  virtual ~CacheEvents() = default;

  // A LoRA was asked for and was there.
  virtual void OnHit() = 0;
  // A LoRA was asked for and has to be fetched or parsed.
  virtual void OnMiss() = 0;
  // One was dropped to make room.
  virtual void OnEviction() = 0;
  // The tier now holds `bytes`.
  virtual void OnBytes(int64_t bytes) = 0;
  // Fetching or parsing one took `duration`.
  virtual void OnLoad(absl::Duration duration) = 0;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_CACHE_EVENTS_H_

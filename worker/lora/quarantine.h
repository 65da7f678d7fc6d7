// Puts LoRA files aside that are not what their digest says.
#ifndef TESSERA_WORKER_LORA_QUARANTINE_H_
#define TESSERA_WORKER_LORA_QUARANTINE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "worker/lora/cache_disk.h"
#include "worker/lora/cache_layout.h"

namespace tessera::lora {

// A file to be put aside.
struct BadFile {
  std::string sha256;  // what it was meant to be
  std::string path;    // where it lies now
  std::string reason;  // for a person
};

// Moves `file` into the quarantine, beside a .reason file with the time, and
// logs it. An earlier one of the same digest is replaced. When it cannot be
// moved it is removed. Errors: errno's code when it could not be removed
// either. The caller holds the claim to fetch the digest.
absl::Status Quarantine(const CacheLayout& layout, CacheDisk& disk,
                        const BadFile& file, absl::Time now);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_QUARANTINE_H_

// The calls of the LoRA cache that change what is on the disk.
#ifndef TESSERA_WORKER_LORA_CACHE_DISK_H_
#define TESSERA_WORKER_LORA_CACHE_DISK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::lora {

// Changes files, one durable step a call, so that a test can fill the disk or
// end the process at each of them. Errors carry the code of errno and name the
// path. Thread-safe.
class CacheDisk {
 public:
  virtual ~CacheDisk() = default;

  // Writes a beginning of `bytes`, at least one byte, at `offset` of `file`.
  // Returns how many. RESOURCE_EXHAUSTED when the disk or the quota is full.
  virtual absl::StatusOr<size_t> Write(int file, std::string_view bytes,
                                       int64_t offset,
                                       const std::string& path) = 0;
  // Makes the contents of `file` survive a loss of power.
  virtual absl::Status Flush(int file, const std::string& path) = 0;
  // Replaces `to` by `from` in one step.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;
  // Removes a file; one that is not there is removed already.
  virtual absl::Status Remove(const std::string& path) = 0;
  // Makes the names in `folder` survive a loss of power.
  virtual absl::Status FlushFolder(const std::string& folder) = 0;
};

// Returns the machine's disk, which lives as long as the process.
CacheDisk& RealCacheDisk();

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_CACHE_DISK_H_

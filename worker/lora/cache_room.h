// Makes room in the node's LoRA cache.
#ifndef TESSERA_WORKER_LORA_CACHE_ROOM_H_
#define TESSERA_WORKER_LORA_CACHE_ROOM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/lora/cache_disk.h"
#include "worker/lora/cache_events.h"
#include "worker/lora/cache_layout.h"
#include "worker/lora/file_lock.h"

namespace tessera::lora {

// Counts the bytes of all processes and drops files for new ones: first what a
// dead process left half, then quarantined files, then the entries that were
// used longest ago. What somebody has locked stays. All of it happens under the
// node's lock, so that processes do not count the same room twice.
//
// Everything handed in must outlive it. Thread-safe.
class CacheRoom {
 public:
  // `bytes` bounds the files of all kinds together.
  CacheRoom(const CacheLayout& layout, int64_t bytes, CacheDisk& disk,
            CacheEvents& events, LockWaiter& waiter);

  // Reserves room for `partial`, which its size on the disk shows to the other
  // processes: `wished` bytes where nothing must go for them, else `needed`.
  // Returns how many were reserved.
  //
  // FAILED_PRECONDITION when `needed` is more than the whole cache,
  // RESOURCE_EXHAUSTED when the others are all in use.
  absl::StatusOr<int64_t> Reserve(LockableFile& partial, int64_t needed,
                                  int64_t wished) const;

  // Drops unused files of at least `bytes` in all, or all there are. Returns
  // how many bytes went.
  absl::StatusOr<int64_t> Free(int64_t bytes) const;

  // Removes what dead processes left half and what exceeds the bound.
  absl::Status Sweep() const;

  // Keeps every process from dropping files until the lock is destroyed.
  absl::StatusOr<LockableFile> LockNode() const;

 private:
  absl::StatusOr<int64_t> DropLocked(const CacheContents& contents,
                                     int64_t bytes) const;
  bool DropIfUnused(const CacheEntry& entry) const;

  const CacheLayout& layout_;
  const int64_t bytes_;
  CacheDisk& disk_;
  CacheEvents& events_;
  LockWaiter& waiter_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_CACHE_ROOM_H_

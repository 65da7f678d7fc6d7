#include "worker/lora/cache_room.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"

namespace tessera::lora {

// Opens nothing yet: the folder is made later.
CacheRoom::CacheRoom(const CacheLayout& layout, int64_t bytes, CacheDisk& disk,
                     CacheEvents& events, LockWaiter& waiter)
    : layout_(layout),
      bytes_(bytes),
      disk_(disk),
      events_(events),
      waiter_(waiter) {}

absl::StatusOr<LockableFile> CacheRoom::LockNode() const {
  // Held for a look at the folder, never over a download or a digest.
  ASSIGN_OR_RETURN(LockableFile lock,
                   LockableFile::OpenOrCreate(layout_.lock_path()));
  RETURN_IF_ERROR(waiter_.Lock(lock, LockMode::kExclusive));
  return lock;
}

absl::StatusOr<int64_t> CacheRoom::Reserve(LockableFile& partial,
                                           int64_t needed,
                                           int64_t wished) const {
  // Dropping everything would not help, so nothing is dropped.
  if (needed > bytes_) {
    return absl::FailedPreconditionError(
        absl::StrCat("larger than the cache of ", bytes_, " bytes"));
  }
  ASSIGN_OR_RETURN(const LockableFile lock, LockNode());
  ASSIGN_OR_RETURN(const CacheContents contents, layout_.List());
  // The partial is listed with what it has reserved so far.
  int64_t others = contents.bytes() - partial.identity().bytes;
  // What is only wished for is not worth another's file.
  int64_t granted = wished;
  if (others + wished > bytes_) {
    granted = needed;
    ASSIGN_OR_RETURN(const int64_t dropped,
                     DropLocked(contents, others + needed - bytes_));
    others -= dropped;
  }
  // What is left is locked by somebody: the item fails, the others go on.
  if (others + granted > bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat("the cache of ", bytes_,
                                                     " bytes is full of files "
                                                     "in use: ",
                                                     others, " bytes"));
  }
  // A hole costs nothing on the disk, and everyone sees it in the size.
  if (::ftruncate(partial.descriptor(), granted) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot reserve room in ", partial.path()));
  }
  events_.OnBytes(others + granted);
  return granted;
}

absl::StatusOr<int64_t> CacheRoom::Free(int64_t bytes) const {
  // On a full disk the bound says nothing: what matters is bytes freed.
  ASSIGN_OR_RETURN(const LockableFile lock, LockNode());
  ASSIGN_OR_RETURN(const CacheContents contents, layout_.List());
  return DropLocked(contents, bytes);
}

absl::Status CacheRoom::Sweep() const {
  ASSIGN_OR_RETURN(const LockableFile lock, LockNode());
  ASSIGN_OR_RETURN(CacheContents contents, layout_.List());
  // All of them, whatever the bound: nobody will finish them.
  for (const CacheEntry& partial : contents.partials) DropIfUnused(partial);
  ASSIGN_OR_RETURN(contents, layout_.List());
  return DropLocked(contents, contents.bytes() - bytes_).status();
}

// Drops unused files of at least `bytes`, if `contents` has so many. Needs the
// node's lock. Returns how many bytes went.
absl::StatusOr<int64_t> CacheRoom::DropLocked(const CacheContents& contents,
                                              int64_t bytes) const {
  // The lists begin with what was used longest ago.
  int64_t dropped = 0;
  const auto drop = [&](const std::vector<CacheEntry>& files) {
    int count = 0;
    for (const CacheEntry& file : files) {
      if (dropped >= bytes) break;
      if (!DropIfUnused(file)) continue;
      dropped += file.bytes;
      ++count;
    }
    return count;
  };
  // What is worth least goes first; only whole entries are evictions.
  drop(contents.partials);
  drop(contents.quarantined);
  for (int count = drop(contents.entries); count > 0; --count) {
    events_.OnEviction();
  }
  events_.OnBytes(contents.bytes() - dropped);
  return dropped;
}

// Removes one file unless somebody has it locked or it has gone. Returns
// whether it did.
bool CacheRoom::DropIfUnused(const CacheEntry& entry) const {
  absl::StatusOr<LockableFile> file = LockableFile::Open(entry.path);
  // Whoever waits for this lock looks again at what the path names afterwards.
  if (!file.ok() || !file->TryLock(LockMode::kExclusive) ||
      !file->IsInPlace()) {
    return false;
  }
  // Unlinked, not emptied: who reads it without a lock keeps its bytes.
  const absl::Status removed = disk_.Remove(entry.path);
  if (!removed.ok()) {
    Log(Severity::kWarning, "cannot drop a LoRA from the cache",
        {{"status", removed}});
  }
  return removed.ok();
}

}  // namespace tessera::lora

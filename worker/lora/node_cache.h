// The LoRA files that a node has at hand: one folder for all its workers.
#ifndef TESSERA_WORKER_LORA_NODE_CACHE_H_
#define TESSERA_WORKER_LORA_NODE_CACHE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "worker/lora/blob_source.h"
#include "worker/lora/cache_disk.h"
#include "worker/lora/cache_events.h"
#include "worker/lora/cache_layout.h"
#include "worker/lora/cache_room.h"
#include "worker/lora/file_lock.h"
#include "worker/lora/partial_file.h"

namespace tessera::lora {

// The size of the cache and its patience.
struct CacheBound {
  int64_t bytes = 0;  // of all files together
  // How long a lock is waited for whose holder makes no progress.
  absl::Duration patience = absl::Minutes(2);
};

// A file of the cache whose digest is verified. While it lives no process of
// the node drops the file. Move-only; the file may be read by any thread.
class CachedFile {
 public:
  explicit CachedFile(LockableFile file) : file_(std::move(file)) {}

  const std::string& path() const { return file_.path(); }
  int64_t bytes() const { return file_.identity().bytes; }

 private:
  LockableFile file_;
};

// Fetches files by their digest and keeps those used last within a bound that
// all processes share. One process fetches a digest, the others wait for it.
//
// A file is trusted when this process has digested it, or written it and
// digested what it wrote, and neither its size nor its time of change is
// another since. Whatever instant a process dies at, it leaves entries that are
// whole, or files that are never taken for one (cache_layout.h).
//
// Thread-safe; waits for files and the source. What is handed in must outlive
// the cache.
class NodeCache {
 public:
  // Opens the cache in `folder`, makes it where it is missing, removes what
  // dead processes left half and what exceeds the bound. Errors: errno's code
  // naming the folder.
  static absl::StatusOr<std::unique_ptr<NodeCache>> Create(
      const std::string& folder, CacheBound bound, BlobSource& source,
      CacheDisk& disk, CacheEvents& events, Clock& clock);

  // Returns the file with this digest, fetching it where it is missing. What
  // does not verify goes to quarantine and is fetched anew once.
  //
  // Errors, all naming the digest: INVALID_ARGUMENT when `sha256` is not 64
  // lower-case hexadecimal digits, DATA_LOSS when it did not verify twice,
  // RESOURCE_EXHAUSTED when neither cache nor disk have room,
  // FAILED_PRECONDITION when it is larger than the cache, or the source's.
  absl::StatusOr<CachedFile> Open(const std::string& sha256);

  // Returns the file if the node has it and this process trusts it already,
  // and marks it as used.
  std::optional<CachedFile> OpenTrusted(const std::string& sha256);

  // Returns the digests that the node holds, those used last first, at most
  // `limit`.
  std::vector<std::string> Held(size_t limit) const;

  // Ends fetches and waits, now and from now on, with CANCELLED.
  void Stop();

 private:
  NodeCache(const std::string& folder, CacheBound bound, BlobSource& source,
            CacheDisk& disk, CacheEvents& events, Clock& clock);

  absl::StatusOr<std::optional<LockableFile>> OpenEntry(
      const std::string& sha256);
  absl::StatusOr<LockableFile> Fetch(const std::string& sha256);
  absl::Status Download(const std::string& sha256, PartialFile& partial);
  absl::Status Verify(const std::string& sha256, const LockableFile& file);
  bool IsTrusted(const std::string& sha256, const LockableFile& file);
  void Trust(const std::string& sha256, const LockableFile& file);
  CachedFile MarkUsed(LockableFile file) const;

  const CacheLayout layout_;
  BlobSource& source_;
  CacheDisk& disk_;
  CacheEvents& events_;
  Clock& clock_;
  LockWaiter waiter_;
  const CacheRoom room_;

  absl::Mutex mu_;
  // What each digest's file looked like when it was verified.
  std::map<std::string, FileIdentity> trusted_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_NODE_CACHE_H_

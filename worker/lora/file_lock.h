// Files that processes of one machine lock against each other.
#ifndef TESSERA_WORKER_LORA_FILE_LOCK_H_
#define TESSERA_WORKER_LORA_FILE_LOCK_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::lora {

// Many may hold a file shared, one alone exclusively.
enum class LockMode { kShared, kExclusive };

// What tells one file from another and from its own earlier contents.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t bytes = 0;
  int64_t modified_ns = 0;  // since the epoch

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// An open file that can be locked by flock(2). The lock belongs to this object,
// also among threads of one process, and the kernel drops it when the process
// ends in whatever way. Move-only. Thread-compatible.
class LockableFile {
 public:
  // Opens `path` for reading. NOT_FOUND when it is missing, or errno's code.
  static absl::StatusOr<LockableFile> Open(const std::string& path);
  // Opens `path` for reading and writing, makes it where it is missing.
  static absl::StatusOr<LockableFile> OpenOrCreate(const std::string& path);

  LockableFile(LockableFile&& other) noexcept;
  LockableFile& operator=(LockableFile&& other) noexcept;
  ~LockableFile();

  // Locks or converts the lock without waiting. Returns whether it did.
  bool TryLock(LockMode mode);

  // Says whether its path still names this very file: another process may have
  // renamed or removed it before the lock was taken.
  bool IsInPlace() const;

  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }
  // Reads the file's identity. All zero when the file system fails.
  FileIdentity identity() const;

 private:
  LockableFile(int descriptor, std::string path);
  static absl::StatusOr<LockableFile> OpenWith(int flags,
                                               const std::string& path);

  int descriptor_ = -1;
  std::string path_;
};

// Waits for locks that others hold. Thread-safe.
class LockWaiter {
 public:
  // A lock is waited for as long as its file grows at least once in `patience`:
  // who holds it may be filling it. The clock must outlive the waiter.
  LockWaiter(absl::Duration patience, Clock& clock);

  // Locks `file`. UNAVAILABLE when the patience has passed without progress,
  // CANCELLED after Stop; both name the file.
  absl::Status Lock(LockableFile& file, LockMode mode);

  // Ends all waits, now and from now on.
  void Stop();

 private:
  bool PauseUnlessStopped();

  const absl::Duration patience_;
  Clock& clock_;
  absl::Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_FILE_LOCK_H_

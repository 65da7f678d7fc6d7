// Keeps two processes from using one store.
#ifndef TESSERA_COORDINATOR_STORE_FILE_LOCK_H_
#define TESSERA_COORDINATOR_STORE_FILE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"

namespace tessera::coordinator {

// An exclusive lock on a file, held while this object or, at the latest, the
// process lives: a crash leaves nothing to clean up.
class FileLock {
 public:
  // Creates `path` and locks it. Errors: UNAVAILABLE when another process (or
  // another FileLock) holds it or the file cannot be created.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_FILE_LOCK_H_

#include "coordinator/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tessera::coordinator {

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& path) {
  // O_CLOEXEC: an inherited descriptor would keep the lock alive in a child
  // that outlives the coordinator.
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    // Turns every errno into UNAVAILABLE: an operator who mends the folder can
    // start the process again, no request was at fault.
    const absl::Status status = absl::ErrnoToStatus(
        errno, absl::StrCat("cannot create lock file: ", path));
    return absl::UnavailableError(status.message());
  }
  // flock belongs to the open file description, so the kernel drops it with the
  // process, and a second FileLock of the same process is refused as well.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor);
    return absl::UnavailableError(absl::StrCat(
        "another coordinator uses this job store; stop it first: ", path));
  }
  return FileLock(descriptor);
}

FileLock::FileLock(FileLock&& other) noexcept
    // Leaves -1 behind, so that only the newest owner closes the descriptor.
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  // Closing the only descriptor is what unlocks. The file stays: removing it
  // would let two processes lock two different files of the same name.
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace tessera::coordinator

#include "worker/lora/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tessera::lora {
namespace {

// flock has no wait with an end, so that waiting is looking again: often enough
// to be unnoticed beside a download, rarely enough to cost nothing.
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

// All workers of a node read the cache, whoever runs them.
constexpr mode_t kFileMode = 0644;

constexpr int64_t kNanoseconds = 1'000'000'000;  // of a second

// Picks out of `status` what identifies the file.
FileIdentity Identity(const struct stat& status) {
  return {static_cast<uint64_t>(status.st_dev),
          static_cast<uint64_t>(status.st_ino),
          static_cast<int64_t>(status.st_size),
          status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

}  // namespace

// Opens a file with `flags`.
absl::StatusOr<LockableFile> LockableFile::OpenWith(int flags,
                                                    const std::string& path) {
  // O_CLOEXEC: an inherited descriptor would keep the lock alive in a child.
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  if (file < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  return LockableFile(file, path);
}

absl::StatusOr<LockableFile> LockableFile::Open(const std::string& path) {
  // O_NOFOLLOW: a link in the cache would be somebody else's file.
  return OpenWith(O_RDONLY | O_NOFOLLOW, path);
}

absl::StatusOr<LockableFile> LockableFile::OpenOrCreate(
    const std::string& path) {
  return OpenWith(O_RDWR | O_CREAT | O_NOFOLLOW, path);
}

// Takes the descriptor over.
LockableFile::LockableFile(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {}

// Leaves nothing to close behind, so that one owner unlocks.
LockableFile::LockableFile(LockableFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)) {}

LockableFile& LockableFile::operator=(LockableFile&& other) noexcept {
  // `other` closes in its destructor what this one held.
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

LockableFile::~LockableFile() {
  if (descriptor_ >= 0) ::close(descriptor_);  // unlocks
}

bool LockableFile::TryLock(LockMode mode) {
  // LOCK_NB: waiting is LockWaiter's, which can end it.
  const int operation = mode == LockMode::kShared ? LOCK_SH : LOCK_EX;
  int result = -1;
  do {
    result = ::flock(descriptor_, operation | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

bool LockableFile::IsInPlace() const {
  // A name that is gone or means another file: the lock is worth nothing.
  struct stat named = {};
  if (::lstat(path_.c_str(), &named) != 0) return false;
  const FileIdentity mine = identity();
  const FileIdentity there = Identity(named);
  return mine.device == there.device && mine.inode == there.inode;
}

FileIdentity LockableFile::identity() const {
  // Zero matches no file that was verified.
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) return {};
  return Identity(status);
}

// Waits of many threads share the patience and the order to stop.
LockWaiter::LockWaiter(absl::Duration patience, Clock& clock)
    : patience_(patience), clock_(clock) {}

absl::Status LockWaiter::Lock(LockableFile& file, LockMode mode) {
  // Looks at the size while it waits: a growing file is a holder at work.
  absl::Time deadline = clock_.Now() + patience_;
  int64_t bytes = file.identity().bytes;
  while (!file.TryLock(mode)) {
    // fstat sees growth through any descriptor, the holder's own included.
    const int64_t now_bytes = file.identity().bytes;
    if (now_bytes != bytes) {
      bytes = now_bytes;
      deadline = clock_.Now() + patience_;
    }
    // The holder may be stopped or its disk may hang: the item is tried again
    // later, perhaps on another node.
    if (clock_.Now() >= deadline) {
      return absl::UnavailableError(
          absl::StrCat("another process holds the file and makes no progress: ",
                       file.path()));
    }
    if (!PauseUnlessStopped()) {
      return absl::CancelledError(
          absl::StrCat("told to stop while waiting for ", file.path()));
    }
  }
  return absl::OkStatus();
}

void LockWaiter::Stop() {
  // Unlocking wakes those that pause.
  absl::MutexLock lock(&mu_);
  stopped_ = true;
}

// Lets a moment pass. Returns whether to go on.
bool LockWaiter::PauseUnlessStopped() {
  absl::MutexLock lock(&mu_);
  return !clock_.AwaitWithTimeout(mu_, absl::Condition(&stopped_), kLookAgain);
}

}  // namespace tessera::lora

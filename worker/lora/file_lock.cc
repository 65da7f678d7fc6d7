#include "worker/lora/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace tessera::lora {
namespace {

// flock has no wait with an end, so that waiting is looking again: often enough
// to be unnoticed beside a download, rarely enough to cost nothing.
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

// All workers of a node read the cache, whoever runs them.
constexpr mode_t kFileMode = 0644;

constexpr int64_t kNanoseconds = 1'000'000'000;

// Picks out of `status` what identifies the file.
FileIdentity Identity(const struct stat& status) {
  return {static_cast<uint64_t>(status.st_dev),
          static_cast<uint64_t>(status.st_ino),
          static_cast<int64_t>(status.st_size),
          status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

// Lets `duration` pass.
void Pause(Clock& clock, absl::Duration duration) {
  absl::Mutex mu;
  const auto never = [] { return false; };
  absl::MutexLock lock(&mu);
  clock.AwaitWithTimeout(mu, absl::Condition(&never), duration);
}

}  // namespace

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

LockableFile::LockableFile(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {}

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
  const int operation = mode == LockMode::kShared ? LOCK_SH : LOCK_EX;
  int result = -1;
  do {
    result = ::flock(descriptor_, operation | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

absl::Status LockableFile::Lock(LockMode mode, absl::Duration patience,
                                Clock& clock) {
  absl::Time deadline = clock.Now() + patience;
  int64_t bytes = identity().bytes;
  while (!TryLock(mode)) {
    const int64_t now_bytes = identity().bytes;
    if (now_bytes != bytes) {
      bytes = now_bytes;
      deadline = clock.Now() + patience;
    }
    if (clock.Now() >= deadline) {
      return absl::UnavailableError(absl::StrCat(
          "another process holds the file and makes no progress: ", path_));
    }
    Pause(clock, kLookAgain);
  }
  return absl::OkStatus();
}

bool LockableFile::IsInPlace() const {
  struct stat named = {};
  if (::lstat(path_.c_str(), &named) != 0) return false;
  const FileIdentity mine = identity();
  const FileIdentity there = Identity(named);
  return mine.device == there.device && mine.inode == there.inode;
}

FileIdentity LockableFile::identity() const {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) return {};
  return Identity(status);
}

}  // namespace tessera::lora

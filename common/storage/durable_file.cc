#include "common/storage/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"
#include "common/status_macros.h"

namespace tessera::storage {
namespace {

constexpr size_t kBufferBytes = 1 << 20;  // few calls, little memory

}  // namespace

absl::StatusOr<DurableFile> DurableFile::Create(std::string path,
                                                std::string temporary) {
  const int descriptor =
      // The process's umask decides about the rights, as for any file of a
      // user.
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot create file: ", temporary));
  }
  return DurableFile(descriptor, std::move(path), std::move(temporary));
}

DurableFile::DurableFile(int descriptor, std::string path,
                         std::string temporary)
    : descriptor_(descriptor),
      path_(std::move(path)),
      temporary_(std::move(temporary)) {}

DurableFile::DurableFile(DurableFile&& other) noexcept
    // Leaves -1 behind, so that one owner closes and unlinks.
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      buffer_(std::move(other.buffer_)) {}

DurableFile::~DurableFile() {
  if (descriptor_ < 0) return;
  // Reached without a commit: nothing of a failed file stays.
  close(descriptor_);
  unlink(temporary_.c_str());
}

absl::Status DurableFile::Append(std::string_view bytes) {
  buffer_.append(bytes);
  // Written in pieces of about kBufferBytes; a write that fails is reported by
  // the Append that happened to cause it.
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

// Writes what was collected. After an error the file is only good for being
// destroyed.
absl::Status DurableFile::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    // A signal may interrupt a write before its first byte.
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail("cannot write file");
    rest.remove_prefix(static_cast<size_t>(written));
  }
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status DurableFile::Commit() {
  RETURN_IF_ERROR(Flush());
  // fsync before rename: the name must never point to bytes that a crash can
  // still lose.
  if (fsync(descriptor_) != 0) return Fail("cannot sync file");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    return Fail("cannot rename file");
  }
  // Renamed: from here on the destructor has nothing to remove.
  close(std::exchange(descriptor_, -1));
  // Until the folder is synced a crash may bring the old name back.
  return SyncFolder(std::filesystem::path(path_).parent_path().string());
}

// Reads errno, so nothing may come between the failed call and this. The path
// named is the final one, which the user knows.
absl::Status DurableFile::Fail(std::string_view what) const {
  return absl::ErrnoToStatus(errno,
                             absl::StrCat(std::string(what), ": ", path_));
}

}  // namespace tessera::storage

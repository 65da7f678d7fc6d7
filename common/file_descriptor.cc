#include "common/file_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera {

absl::StatusOr<FileDescriptor> FileDescriptor::Open(const std::string& path,
                                                    int flags) {
  // Close-on-exec: a child process must not keep a removed file's bytes alive.
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (descriptor >= 0) return FileDescriptor(descriptor, path);
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot open file: ", path));
}

FileDescriptor::FileDescriptor(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    // Leaves -1 behind, so that only the newest owner closes.
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)) {}

FileDescriptor::~FileDescriptor() {
  // What close reports here was reported by Sync, or does not matter.
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<int64_t> FileDescriptor::Size() const {
  struct stat facts {};
  if (fstat(descriptor_, &facts) != 0) return Error("cannot look at file");
  return facts.st_size;
}

absl::StatusOr<std::string> FileDescriptor::Read(int64_t offset,
                                                 int64_t limit) const {
  // pread, not read: a descriptor may be shared by threads, and has one offset.
  std::string bytes(static_cast<size_t>(limit), '\0');
  size_t filled = 0;
  // A short read is no end: only a read of nothing is.
  while (filled < bytes.size()) {
    const ssize_t count =
        pread(descriptor_, bytes.data() + filled, bytes.size() - filled,
              offset + static_cast<int64_t>(filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error("cannot read file");
    // The end of the file; fewer bytes than asked for are no error.
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

absl::Status FileDescriptor::Write(int64_t offset,
                                   std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    // A full disk shows here, often after a part was written.
    if (count < 0) return Error("cannot write file");
    offset += count;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status FileDescriptor::Sync() const {
  return fsync(descriptor_) == 0 ? absl::OkStatus() : Error("cannot sync");
}

absl::Status FileDescriptor::Error(std::string_view what) const {
  // errno is read first: StrCat may allocate and change it.
  const int error = errno;
  return absl::ErrnoToStatus(error,
                             absl::StrCat(std::string(what), ": ", path_));
}

absl::Status SyncFolder(const std::string& folder) {
  ASSIGN_OR_RETURN(const FileDescriptor file,
                   FileDescriptor::Open(folder, O_RDONLY | O_DIRECTORY));
  return file.Sync();
}

}  // namespace tessera

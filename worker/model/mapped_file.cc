#include "worker/model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tessera::model {

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  // Keeps the descriptor from programs that this process may start, and does
  // not wait for the writer of a pipe.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  // Asks before it maps: a folder or a pipe opens well, too.
  struct stat info {};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(file);
    return absl::InvalidArgumentError(
        absl::StrCat("not a regular file: ", path));
  }
  const auto size = static_cast<size_t>(info.st_size);
  // Maps nothing, for mmap refuses a length of zero.
  if (size == 0) {
    ::close(file);
    return MappedFile(nullptr, 0);
  }
  // Keeps the pages shared with the page cache: several workers that load one
  // model hold its file once.
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  // Saves errno, which close may change; the mapping outlives the descriptor.
  const int error = errno;
  ::close(file);
  if (data == MAP_FAILED) {
    return absl::ErrnoToStatus(error, absl::StrCat("cannot map ", path));
  }
  return MappedFile(static_cast<const char*>(data), size);
}

// Leaves `other` without a mapping, so that only one of the two unmaps.
MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  // Swaps, so that the old mapping ends with `other`.
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

}  // namespace tessera::model

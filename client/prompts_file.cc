#include "client/prompts_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "client/outputs.h"
#include "common/status_macros.h"
#include "common/storage/s3_url.h"

namespace tessera::client {
namespace {

// What is asked of a bucket at once: few calls, little memory.
constexpr int64_t kObjectBytes = 8 << 20;

// INVALID_ARGUMENT: the user named a file that cannot be the input.
absl::Status Unreadable(const std::string& name, int error) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": cannot read the prompts: ", std::strerror(error)));
}

// Writes all of `bytes`; false leaves the reason in errno.
bool WriteAll(int descriptor, const char* bytes, ssize_t count) {
  while (count > 0) {
    const ssize_t written = write(descriptor, bytes, count);
    if (written < 0 && errno != EINTR) return false;
    // A write may take less than it was given.
    if (written > 0) bytes += written, count -= written;
  }
  return true;
}

// Makes a temporary file without a name and returns it.
absl::StatusOr<int> MakeNameless(const std::string& name) {
  // tmpfile removes the name at once; the descriptor is all that is left, so a
  // crash leaves nothing behind.
  std::FILE* file = std::tmpfile();
  const int copy = file == nullptr ? -1 : dup(fileno(file));
  // fclose would close the descriptor, hence the copy.
  if (file != nullptr) std::fclose(file);
  if (copy < 0) {
    return absl::InternalError(absl::StrCat(
        name, ": no temporary file for the prompts: ", std::strerror(errno)));
  }
  return copy;
}

// Copies a stream into a temporary file and returns it.
absl::StatusOr<int> Spool(int source, const std::string& name) {
  ASSIGN_OR_RETURN(const int copy, MakeNameless(name));
  // As much as a pipe holds on Linux.
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(source, buffer, sizeof(buffer));
    if (count == 0) return copy;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || !WriteAll(copy, buffer, count)) {
      const int error = errno;
      close(copy);
      return Unreadable(name, error);
    }
  }
}

// Copies an object of a bucket into a temporary file and returns it.
absl::StatusOr<int> SpoolObject(const std::string& uri) {
  Outputs outputs(RealClock());
  const size_t slash = uri.rfind('/');
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputStore> store,
                   outputs.Open(uri.substr(0, slash)));
  ASSIGN_OR_RETURN(const int copy, MakeNameless(uri));
  for (int64_t offset = 0;;) {
    const absl::StatusOr<std::string> bytes =
        store->Read(uri.substr(slash + 1), offset, kObjectBytes);
    absl::Status status = bytes.status();
    // As for a file: the user named what cannot be the input.
    if (absl::IsNotFound(status)) {
      status = absl::InvalidArgumentError(std::string(status.message()));
    }
    const auto count = bytes.ok() ? static_cast<int64_t>(bytes->size()) : 0;
    if (bytes.ok() && !WriteAll(copy, bytes->data(), count)) {
      status = Unreadable(uri, errno);
    }
    if (!status.ok()) {
      close(copy);
      return status;
    }
    offset += count;
    if (count < kObjectBytes) return copy;
  }
}

}  // namespace

absl::StatusOr<PromptsFile> PromptsFile::Open(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : path;
  int descriptor = -1;
  if (storage::IsS3Uri(path)) {
    RETURN_IF_ERROR(storage::ParseS3Uri(path).status());
    ASSIGN_OR_RETURN(descriptor, SpoolObject(path));
  } else {
    // A copy of standard input, so that the destructor may close it.
    descriptor =
        standard ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (descriptor < 0) return Unreadable(name, errno);
  // Owns the descriptor from here on, whatever fails below.
  PromptsFile file(name, descriptor, 0);
  // Asked of the open file, not of the path, which may have changed.
  struct stat facts {};
  if (fstat(descriptor, &facts) != 0) return Unreadable(name, errno);
  if (S_ISDIR(facts.st_mode)) return Unreadable(name, EISDIR);
  // Standard input is copied even when it is a file: whoever started us may
  // have read a part of it already.
  if (!S_ISREG(facts.st_mode) || standard) {
    ASSIGN_OR_RETURN(const int copy, Spool(descriptor, name));
    file = PromptsFile(name, copy, 0);
    if (fstat(copy, &facts) != 0) return Unreadable(name, errno);
  }
  file.size_ = facts.st_size;
  return file;
}

PromptsFile::PromptsFile(std::string name, int descriptor, int64_t size)
    : name_(std::move(name)), descriptor_(descriptor), size_(size) {}

PromptsFile::PromptsFile(PromptsFile&& other) noexcept
    : name_(std::move(other.name_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

PromptsFile& PromptsFile::operator=(PromptsFile&& other) noexcept {
  // The old file goes with `other`.
  std::swap(name_, other.name_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

PromptsFile::~PromptsFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status PromptsFile::Locate(const absl::Status& error) const {
  std::vector<std::string> located;
  for (const absl::string_view text : absl::StrSplit(error.message(), '\n')) {
    const std::string line(text);
    // Editors jump to "file: line". Whatever else a submit may answer, such as
    // a folder in use, is not the file's fault.
    const bool of_file =
        line.starts_with("line ") || line.starts_with("prompts file ");
    located.push_back(of_file ? absl::StrCat(name_, ": ", line) : line);
  }
  return absl::Status(error.code(), absl::StrJoin(located, "\n"));
}

absl::StatusOr<std::string> PromptsFile::Read(int64_t offset,
                                              int64_t limit) const {
  std::string bytes(limit, '\0');
  ssize_t count = 0;
  do {
    // pread leaves no offset behind, so that a repeated submit may read from
    // the start while nothing is rewound.
    count = pread(descriptor_, bytes.data(), limit, offset);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Unreadable(name_, errno);
  bytes.resize(count);
  return bytes;
}

}  // namespace tessera::client

#include "client/prompts_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

absl::Status Unreadable(const std::string& name, int error) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": cannot read the prompts: ", std::strerror(error)));
}

// Writes all of `bytes`; false leaves the reason in errno.
bool WriteAll(int descriptor, const char* bytes, ssize_t count) {
  while (count > 0) {
    const ssize_t written = write(descriptor, bytes, count);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes += written, count -= written;
  }
  return true;
}

// Copies a stream into a temporary file without a name and returns it.
absl::StatusOr<int> Spool(int source, const std::string& name) {
  std::FILE* file = std::tmpfile();
  const int copy = file == nullptr ? -1 : dup(fileno(file));
  if (file != nullptr) std::fclose(file);
  if (copy < 0) {
    return absl::InternalError(absl::StrCat(
        name, ": no temporary file for the prompts: ", std::strerror(errno)));
  }
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

}  // namespace

absl::StatusOr<PromptsFile> PromptsFile::Open(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : path;
  int descriptor =
      standard ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Unreadable(name, errno);
  PromptsFile file(name, descriptor, 0);
  struct stat facts {};
  if (fstat(descriptor, &facts) != 0) return Unreadable(name, errno);
  if (S_ISDIR(facts.st_mode)) return Unreadable(name, EISDIR);
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
  std::swap(name_, other.name_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

PromptsFile::~PromptsFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string PromptsFile::Locate(const std::string& message) const {
  return absl::StrCat(
      name_, ": ",
      absl::StrReplaceAll(message, {{"\n", absl::StrCat("\n", name_, ": ")}}));
}

absl::StatusOr<std::string> PromptsFile::Read(int64_t offset,
                                              int64_t limit) const {
  std::string bytes(limit, '\0');
  ssize_t count = 0;
  do {
    count = pread(descriptor_, bytes.data(), limit, offset);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Unreadable(name_, errno);
  bytes.resize(count);
  return bytes;
}

}  // namespace tessera::client

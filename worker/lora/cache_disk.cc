#include "worker/lora/cache_disk.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"

namespace tessera::lora {
namespace {

// Makes an error of errno that names the call and the path.
absl::Status Failed(const char* call, const std::string& path) {
  // A full quota is to the cache what a full disk is.
  const int error = errno == EDQUOT ? ENOSPC : errno;
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", call, " ", path));
}

// Passes every call on to the kernel.
class KernelDisk final : public CacheDisk {
 public:
  // Leaves the position of `file` alone: the offset is the caller's.
  absl::StatusOr<size_t> Write(int file, std::string_view bytes, int64_t offset,
                               const std::string& path) override {
    ssize_t written = -1;
    do {
      written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    } while (written < 0 && errno == EINTR);
    // A short write is no error: the caller goes on behind it, and the next
    // call says what stopped this one.
    if (written < 0) return Failed("write", path);
    return static_cast<size_t>(written);
  }

  // Flushes the file's size too, which fdatasync need not.
  absl::Status Flush(int file, const std::string& path) override {
    if (::fsync(file) != 0) return Failed("flush", path);
    return absl::OkStatus();
  }

  // Never copies: both names lie on one file system.
  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0)
      return Failed("rename to", to);
    return absl::OkStatus();
  }

  // Takes a missing file for a removed one, as two processes may race to it.
  absl::Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return Failed("remove", path);
    }
    return absl::OkStatus();
  }

  absl::Status FlushFolder(const std::string& folder) override {
    return SyncFolder(folder);
  }
};

}  // namespace

CacheDisk& RealCacheDisk() {
  // Is never destroyed, so that it serves whatever ends last.
  static KernelDisk* const disk = new KernelDisk;
  return *disk;
}

}  // namespace tessera::lora

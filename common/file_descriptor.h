// An open file that closes itself, and the calls on it that may be interrupted.
#ifndef TESSERA_COMMON_FILE_DESCRIPTOR_H_
#define TESSERA_COMMON_FILE_DESCRIPTOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera {

// Owns a descriptor. Errors name the file as it was opened and have the code of
// errno: RESOURCE_EXHAUSTED for a full disk, NOT_FOUND for a missing file.
// Movable. Thread-safe but for moves.
class FileDescriptor {
 public:
  // Opens `path` with the flags of open(2), close-on-exec; a new file may be
  // read by all and written by its owner.
  static absl::StatusOr<FileDescriptor> Open(const std::string& path,
                                             int flags);

  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor();

  // Returns the size in bytes.
  absl::StatusOr<int64_t> Size() const;

  // Returns up to `limit` bytes from `offset` on; empty at the end.
  absl::StatusOr<std::string> Read(int64_t offset, int64_t limit) const;

  // Writes all of `bytes` at `offset`; after an error a part may be there.
  absl::Status Write(int64_t offset, std::string_view bytes) const;

  // Waits until what was written, or the entries of a folder, are on the disk.
  absl::Status Sync() const;

  // Returns the descriptor, for calls that this class does not wrap.
  int get() const { return descriptor_; }

  // Returns the status of errno with "`what`: path".
  absl::Status Error(std::string_view what) const;

 private:
  FileDescriptor(int descriptor, std::string path);

  int descriptor_;
  std::string path_;
};

// Makes the names in `folder` survive a loss of power: POSIX syncs a file's
// bytes with the file, its name with the folder. Errors: those of Open and
// Sync.
absl::Status SyncFolder(const std::string& folder);

}  // namespace tessera

#endif  // TESSERA_COMMON_FILE_DESCRIPTOR_H_

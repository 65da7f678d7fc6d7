// A file that is there whole or not at all.
#ifndef TESSERA_COMMON_STORAGE_DURABLE_FILE_H_
#define TESSERA_COMMON_STORAGE_DURABLE_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/output_store.h"

namespace tessera::storage {

// Collects the bytes of a file beside its place and puts it there when it is
// complete and synced. Errors name the file; a full disk is
// RESOURCE_EXHAUSTED. Thread-compatible.
class DurableFile final : public OutputFile {
 public:
  // Starts a file that is to become `path`, in `temporary` on the same file
  // system; what is there is overwritten.
  static absl::StatusOr<DurableFile> Create(std::string path,
                                            std::string temporary);

  DurableFile(DurableFile&& other) noexcept;
  DurableFile& operator=(DurableFile&&) = delete;

  // Closes the file and removes the temporary unless it was committed.
  ~DurableFile() override;

  // Appends `bytes`, buffered.
  absl::Status Append(std::string_view bytes) override;

  // Writes what is buffered, syncs, renames to `path` and syncs its folder.
  absl::Status Commit() override;

 private:
  DurableFile(int descriptor, std::string path, std::string temporary);

  absl::Status Flush();
  absl::Status Fail(std::string_view what) const;

  int descriptor_;
  std::string path_;
  std::string temporary_;
  std::string buffer_;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_DURABLE_FILE_H_

// A job's files in a folder that all processes mount.
#ifndef TESSERA_COMMON_STORAGE_FOLDER_OUTPUT_STORE_H_
#define TESSERA_COMMON_STORAGE_FOLDER_OUTPUT_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/storage/output_store.h"

namespace tessera::storage {

// Writes a file to .tessera-tmp/WRITER/, flushes and renames it, and flushes
// the folder that it lies in: a crash leaves at most a file in .tessera-tmp,
// which nothing names. Thread-safe as OutputStore says.
class FolderOutputStore final : public OutputStore {
 public:
  // Makes nothing yet. `folder` is absolute; `writer` is a file name that no
  // other running process uses.
  FolderOutputStore(std::string folder, const std::string& writer);

  // Removes the writer's temporary folder.
  ~FolderOutputStore() override;

  FolderOutputStore(const FolderOutputStore&) = delete;
  FolderOutputStore& operator=(const FolderOutputStore&) = delete;

  std::string NameOf(std::string_view path) const override;
  absl::Status Prepare(const std::string& folder) override;
  absl::StatusOr<std::string> Put(const std::string& path,
                                  std::string_view bytes) override;
  absl::StatusOr<std::unique_ptr<OutputFile>> Create(
      const std::string& path) override;
  absl::StatusOr<std::string> Read(const std::string& path, int64_t offset,
                                   int64_t limit) override;
  absl::StatusOr<bool> Exists(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status RemoveTemporaries() override;

 private:
  const std::string folder_;
  const std::string temporary_;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_FOLDER_OUTPUT_STORE_H_

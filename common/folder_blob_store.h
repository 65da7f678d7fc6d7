// Blobs as files of one folder.
#ifndef TESSERA_COMMON_FOLDER_BLOB_STORE_H_
#define TESSERA_COMMON_FOLDER_BLOB_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/blob_store.h"
#include "common/clock.h"

namespace tessera {

// Keeps the blob D in FOLDER/D and its upload in FOLDER/uploads/D. One process
// writes to a folder; that is for the caller to see to. Thread-safe as
// BlobStore says.
class FolderBlobStore final : public BlobStore {
 public:
  // Makes the folders when they are missing. Errors: those of the file system.
  // `clock`, which tells the age of uploads, must outlive the store.
  static absl::StatusOr<std::unique_ptr<FolderBlobStore>> Open(
      const std::string& folder, Clock& clock);

  absl::StatusOr<int64_t> UploadedBytes(
      const std::string& digest) const override;
  absl::Status Append(const std::string& digest, int64_t offset,
                      std::string_view bytes) override;
  absl::Status Truncate(const std::string& digest, int64_t size) override;
  absl::StatusOr<std::string> Verify(const std::string& digest,
                                     int64_t size) override;
  absl::Status Publish(const std::string& digest) override;
  absl::Status Discard(const std::string& digest) override;
  absl::StatusOr<int64_t> ExpireUploads(absl::Duration age) override;
  absl::StatusOr<std::unique_ptr<BlobReader>> Open(
      const std::string& digest) const override;
  absl::StatusOr<std::vector<BlobInfo>> List() const override;
  absl::Status Remove(const std::string& digest) override;

 private:
  FolderBlobStore(std::string folder, Clock& clock);

  std::string BlobPath(const std::string& digest) const;
  std::string UploadPath(const std::string& digest) const;

  const std::string folder_;
  Clock& clock_;
};

}  // namespace tessera

#endif  // TESSERA_COMMON_FOLDER_BLOB_STORE_H_

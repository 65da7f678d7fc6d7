// Blobs as objects of a bucket.
#ifndef TESSERA_COMMON_STORAGE_S3_BLOB_STORE_H_
#define TESSERA_COMMON_STORAGE_S3_BLOB_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/blob_store.h"
#include "common/storage/s3_client.h"
#include "common/storage/s3_url.h"

namespace tessera::storage {

// Keeps the blob D in s3://BUCKET/PREFIX/D. Uploads stay in another store on
// this machine until they are published: they grow byte by byte, which objects
// do not. A blob that is removed while it is open goes with its last reader.
// One process writes below a prefix. Thread-safe as BlobStore says.
class S3BlobStore final : public BlobStore {
 public:
  // `uploads` is used for uploads alone. `client` must outlive the store and
  // its readers.
  S3BlobStore(S3Location location, S3Client& client,
              std::unique_ptr<BlobStore> uploads);
  ~S3BlobStore() override;

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
  class Readers;
  class Reader;

  S3Key Key(std::string_view digest) const;

  const S3Location location_;
  S3Client& client_;
  const std::unique_ptr<BlobStore> uploads_;
  // Who reads what; readers share it, as they may outlive the store.
  const std::shared_ptr<Readers> readers_;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_BLOB_STORE_H_

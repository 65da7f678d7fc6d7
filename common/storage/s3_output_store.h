// A job's files as objects below a prefix.
#ifndef TESSERA_COMMON_STORAGE_S3_OUTPUT_STORE_H_
#define TESSERA_COMMON_STORAGE_S3_OUTPUT_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/storage/output_store.h"
#include "common/storage/s3_client.h"
#include "common/storage/s3_url.h"

namespace tessera::storage {

// Keeps the file PATH in s3://BUCKET/PREFIX/PATH, with its SHA-256 as the
// object's metadata "sha256" where it was put whole. Thread-safe as OutputStore
// says.
class S3OutputStore final : public OutputStore {
 public:
  // `client` must outlive the store.
  S3OutputStore(S3Location location, S3Client& client);

  std::string NameOf(std::string_view path) const override;
  // Looks whether the bucket is there and answers; there is nothing to make.
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

  // Aborts uploads in parts of files that a job has.
  absl::Status RemoveTemporaries() override;

 private:
  S3Key Key(std::string_view path) const;
  absl::Status AbortUploads(const std::string& prefix);

  const S3Location location_;
  S3Client& client_;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_OUTPUT_STORE_H_

// An object written piece by piece.
#ifndef TESSERA_COMMON_STORAGE_S3_UPLOAD_H_
#define TESSERA_COMMON_STORAGE_S3_UPLOAD_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/storage/s3_client.h"

namespace tessera::storage {

// Collects the bytes of one object in memory of one part (8 MiB, more once an
// object has thousands of parts) and sends each part as it fills. The object is
// there with Commit and not before; a small one is put in one call.
// Thread-compatible.
class S3Upload {
 public:
  // `client` must outlive the upload.
  S3Upload(S3Client& client, S3Key key);

  // Aborts an upload that was not committed.
  ~S3Upload();

  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;

  // Appends `bytes`. Errors: those of the client. Do not go on after one.
  absl::Status Append(std::string_view bytes);

  // Makes the object. Call once. Errors: as Append.
  absl::Status Commit();

 private:
  absl::Status SendPart();
  size_t PartBytes() const;

  S3Client& client_;
  const S3Key key_;
  std::string buffer_;
  std::string id_;  // empty: no part was sent yet
  std::vector<std::string> etags_;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_UPLOAD_H_

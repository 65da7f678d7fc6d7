#include "common/storage/s3_upload.h"

#include <utility>

#include "common/log.h"
#include "common/sha256.h"
#include "common/status_macros.h"

namespace tessera::storage {
namespace {

// S3 wants 5 MiB or more; little memory, and few calls for what we write.
constexpr size_t kPartBytes = 8 << 20;
// S3 takes 10,000 parts of an object: they grow eightfold after so many, which
// is enough for a terabyte.
constexpr size_t kPartsBeforeGrowth = 5000;

}  // namespace

S3Upload::S3Upload(S3Client& client, S3Key key)
    : client_(client), key_(std::move(key)) {}

S3Upload::~S3Upload() {
  if (id_.empty()) return;
  const absl::Status status = client_.AbortUpload(key_, id_);
  // Whoever sweeps the prefix aborts it then.
  if (!status.ok()) {
    Log(Severity::kWarning, "upload stays until it is swept",
        {{"status", status}});
  }
}

absl::Status S3Upload::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view taken =
        bytes.substr(0, PartBytes() - buffer_.size());
    buffer_.append(taken);
    bytes.remove_prefix(taken.size());
    if (buffer_.size() == PartBytes()) RETURN_IF_ERROR(SendPart());
  }
  return absl::OkStatus();
}

absl::Status S3Upload::Commit() {
  // Most objects end here, in one call.
  if (id_.empty()) return client_.Put(key_, buffer_, Sha256Hex(buffer_));
  if (!buffer_.empty()) RETURN_IF_ERROR(SendPart());
  RETURN_IF_ERROR(client_.CompleteUpload(key_, id_, etags_));
  id_.clear();
  return absl::OkStatus();
}

// Sends what was collected; the first time begins the upload.
absl::Status S3Upload::SendPart() {
  if (id_.empty()) {
    ASSIGN_OR_RETURN(id_, client_.BeginUpload(key_));
  }
  ASSIGN_OR_RETURN(
      std::string etag,
      client_.PutPart(key_, id_, static_cast<int>(etags_.size()) + 1, buffer_));
  etags_.push_back(std::move(etag));
  buffer_.clear();
  return absl::OkStatus();
}

// The size of the part that is being collected.
size_t S3Upload::PartBytes() const {
  return etags_.size() < kPartsBeforeGrowth ? kPartBytes : 8 * kPartBytes;
}

}  // namespace tessera::storage

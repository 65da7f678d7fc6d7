#include "common/storage/s3_output_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "common/storage/s3_upload.h"

namespace tessera::storage {
namespace {

// Rounds of the sweep: each takes a thousand uploads, so that more means that
// somebody still begins them.
constexpr int kMostSweeps = 100;
// What a job writes. Other uploads below its prefix, which may be the whole
// bucket, are somebody else's.
constexpr std::string_view kOwnPaths[] = {
    "images/", "shards/", "manifest.jsonl", "errors.jsonl", "job.json"};

// An object that is uploaded while it is written.
class S3OutputFile final : public OutputFile {
 public:
  S3OutputFile(S3Client& client, S3Key key) : upload_(client, std::move(key)) {}

  absl::Status Append(std::string_view bytes) override {
    return upload_.Append(bytes);
  }
  absl::Status Commit() override { return upload_.Commit(); }

 private:
  S3Upload upload_;
};

}  // namespace

S3OutputStore::S3OutputStore(S3Location location, S3Client& client)
    : location_(std::move(location)), client_(client) {}

std::string S3OutputStore::NameOf(std::string_view path) const {
  return absl::StrCat(ToUri(location_), "/", std::string(path));
}

S3Key S3OutputStore::Key(std::string_view path) const {
  return {location_.bucket, KeyOf(location_, path)};
}

absl::Status S3OutputStore::Prepare(const std::string& folder) {
  return client_.List(location_.bucket, Key(folder).key, "").status();
}

absl::StatusOr<std::string> S3OutputStore::Put(const std::string& path,
                                               std::string_view bytes) {
  std::string sha256 = Sha256Hex(bytes);
  RETURN_IF_ERROR(client_.Put(Key(path), bytes, sha256));
  return sha256;
}

absl::StatusOr<std::unique_ptr<OutputFile>> S3OutputStore::Create(
    const std::string& path) {
  return std::make_unique<S3OutputFile>(client_, Key(path));
}

absl::StatusOr<std::string> S3OutputStore::Read(const std::string& path,
                                                int64_t offset, int64_t limit) {
  return client_.Get(Key(path), offset, limit);
}

absl::StatusOr<bool> S3OutputStore::Exists(const std::string& path) {
  // A list, not a look: only its errors tell a missing bucket from a missing
  // key. The first key that begins so is the key itself, if it is there.
  const std::string key = Key(path).key;
  ASSIGN_OR_RETURN(const S3Page page, client_.List(location_.bucket, key, ""));
  return !page.objects.empty() && page.objects.front().key == key;
}

absl::StatusOr<std::vector<std::string>> S3OutputStore::List(
    const std::string& folder) {
  const size_t skipped =
      location_.prefix.empty() ? 0 : location_.prefix.size() + 1;
  std::vector<std::string> paths;
  std::string next;
  do {
    ASSIGN_OR_RETURN(
        S3Page page,
        client_.List(location_.bucket,
                     Key(folder.empty() ? "" : folder + "/").key, next));
    for (const S3Object& object : page.objects) {
      paths.push_back(object.key.substr(skipped));
    }
    next = std::move(page.next);
  } while (!next.empty());
  return paths;
}

absl::Status S3OutputStore::Remove(const std::string& path) {
  return client_.Delete(Key(path));
}

absl::Status S3OutputStore::RemoveTemporaries() {
  for (const std::string_view path : kOwnPaths) {
    RETURN_IF_ERROR(AbortUploads(Key(path).key));
  }
  return absl::OkStatus();
}

// Aborts every upload of a key that begins with `prefix`.
absl::Status S3OutputStore::AbortUploads(const std::string& prefix) {
  for (int round = 0; round < kMostSweeps; ++round) {
    ASSIGN_OR_RETURN(const std::vector<S3UploadInfo> uploads,
                     client_.ListUploads(location_.bucket, prefix));
    if (uploads.empty()) break;
    for (const S3UploadInfo& upload : uploads) {
      RETURN_IF_ERROR(
          client_.AbortUpload({location_.bucket, upload.key}, upload.id));
    }
  }
  return absl::OkStatus();
}

}  // namespace tessera::storage

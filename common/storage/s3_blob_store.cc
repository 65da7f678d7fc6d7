#include "common/storage/s3_blob_store.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/file_descriptor.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/storage/s3_upload.h"

namespace tessera::storage {
namespace {

// What is read of a file at once.
constexpr int64_t kChunkBytes = 1 << 20;

}  // namespace

// Counts readers, and remembers which blobs go with their last one.
class S3BlobStore::Readers {
 public:
  // Notes a reader; false when the blob is being removed.
  bool Enter(const std::string& digest) {
    absl::MutexLock lock(&mu_);
    if (removed_.contains(digest)) return false;
    ++open_[digest];
    return true;
  }

  // Notes that a reader is gone; true when the caller is to delete the blob,
  // and say so by Deleted.
  bool Leave(const std::string& digest) {
    absl::MutexLock lock(&mu_);
    if (--open_[digest] > 0) return false;
    open_.erase(digest);
    return removed_.contains(digest);
  }

  // Hides a blob from now on; true when nobody reads it, as for Leave.
  bool Remove(const std::string& digest) {
    absl::MutexLock lock(&mu_);
    removed_.insert(digest);
    return !open_.contains(digest);
  }

  // Ends a removal.
  void Deleted(const std::string& digest) {
    absl::MutexLock lock(&mu_);
    removed_.erase(digest);
  }

  // Takes a removal back for a blob that is published again; waits for a
  // deletion that has begun.
  void Keep(const std::string& digest) {
    absl::MutexLock lock(&mu_);
    if (open_.contains(digest)) {
      removed_.erase(digest);
      return;
    }
    const auto gone = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return !removed_.contains(digest);
    };
    mu_.Await(absl::Condition(&gone));
  }

  // Says whether a blob is to be shown.
  bool IsShown(const std::string& digest) {
    absl::MutexLock lock(&mu_);
    return !removed_.contains(digest);
  }

 private:
  absl::Mutex mu_;
  std::map<std::string, int> open_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> removed_ ABSL_GUARDED_BY(mu_);
};

// Reads an object by ranges.
class S3BlobStore::Reader final : public BlobReader {
 public:
  Reader(S3Client& client, S3Key key, std::string digest, int64_t size,
         std::shared_ptr<Readers> readers)
      : client_(client),
        key_(std::move(key)),
        digest_(std::move(digest)),
        size_(size),
        readers_(std::move(readers)) {}

  ~Reader() override {
    if (!readers_->Leave(digest_)) return;
    const absl::Status status = client_.Delete(key_);
    readers_->Deleted(digest_);
    // No name means it any more: the next start sweeps it.
    if (!status.ok()) {
      Log(Severity::kWarning, "removed blob stays until the next start",
          {{"status", status}});
    }
  }

  int64_t size() const override { return size_; }

  absl::StatusOr<std::string> Read(int64_t offset,
                                   int64_t limit) const override {
    const int64_t left = std::max<int64_t>(size_ - offset, 0);
    const int64_t wanted = std::min(limit, left);
    if (wanted == 0) return std::string();
    return client_.Get(key_, offset, wanted);
  }

 private:
  S3Client& client_;
  const S3Key key_;
  const std::string digest_;
  const int64_t size_;
  const std::shared_ptr<Readers> readers_;
};

S3BlobStore::S3BlobStore(S3Location location, S3Client& client,
                         std::unique_ptr<BlobStore> uploads)
    : location_(std::move(location)),
      client_(client),
      uploads_(std::move(uploads)),
      readers_(std::make_shared<Readers>()) {}

S3BlobStore::~S3BlobStore() = default;

S3Key S3BlobStore::Key(std::string_view digest) const {
  return {location_.bucket, KeyOf(location_, digest)};
}

absl::StatusOr<int64_t> S3BlobStore::UploadedBytes(
    const std::string& digest) const {
  return uploads_->UploadedBytes(digest);
}

absl::Status S3BlobStore::Append(const std::string& digest, int64_t offset,
                                 std::string_view bytes) {
  return uploads_->Append(digest, offset, bytes);
}

absl::Status S3BlobStore::Truncate(const std::string& digest, int64_t size) {
  return uploads_->Truncate(digest, size);
}

absl::StatusOr<std::string> S3BlobStore::Verify(const std::string& digest,
                                                int64_t size) {
  return uploads_->Verify(digest, size);
}

absl::Status S3BlobStore::Publish(const std::string& digest) {
  ASSIGN_OR_RETURN(const int64_t size, uploads_->UploadedBytes(digest));
  // Digests them once more, which costs little beside sending them.
  ASSIGN_OR_RETURN(const std::string path, uploads_->Verify(digest, size));
  readers_->Keep(digest);
  ASSIGN_OR_RETURN(const FileDescriptor file,
                   FileDescriptor::Open(path, O_RDONLY));
  S3Upload upload(client_, Key(digest));
  for (int64_t offset = 0; offset < size; offset += kChunkBytes) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     file.Read(offset, std::min(kChunkBytes, size - offset)));
    RETURN_IF_ERROR(upload.Append(bytes));
  }
  // The object is there whole with this, or not at all.
  RETURN_IF_ERROR(upload.Commit());
  return uploads_->Discard(digest);
}

absl::Status S3BlobStore::Discard(const std::string& digest) {
  return uploads_->Discard(digest);
}

absl::StatusOr<int64_t> S3BlobStore::ExpireUploads(absl::Duration age) {
  return uploads_->ExpireUploads(age);
}

absl::StatusOr<std::unique_ptr<BlobReader>> S3BlobStore::Open(
    const std::string& digest) const {
  RETURN_IF_ERROR(CheckDigest(digest));
  // Entered before the look: what is found then stays.
  if (!readers_->Enter(digest)) {
    return absl::NotFoundError(absl::StrCat("blob was removed: ", digest));
  }
  // Made at once, so that its destructor leaves in every case.
  auto reader =
      std::make_unique<Reader>(client_, Key(digest), digest, 0, readers_);
  ASSIGN_OR_RETURN(const S3Object object, client_.Head(Key(digest)));
  // Entered twice for a moment, never not at all.
  if (!readers_->Enter(digest)) {
    return absl::NotFoundError(absl::StrCat("blob was removed: ", digest));
  }
  return std::make_unique<Reader>(client_, Key(digest), digest, object.size,
                                  readers_);
}

absl::StatusOr<std::vector<BlobInfo>> S3BlobStore::List() const {
  const std::string prefix = Key("").key;
  std::vector<BlobInfo> blobs;
  std::string next;
  do {
    ASSIGN_OR_RETURN(S3Page page, client_.List(location_.bucket, prefix, next));
    for (const S3Object& object : page.objects) {
      std::string digest = object.key.substr(prefix.size());
      // Others below the prefix are not ours and are left alone.
      if (!CheckDigest(digest).ok() || !readers_->IsShown(digest)) continue;
      blobs.push_back({std::move(digest), object.size});
    }
    next = std::move(page.next);
  } while (!next.empty());
  return blobs;
}

absl::Status S3BlobStore::Remove(const std::string& digest) {
  RETURN_IF_ERROR(CheckDigest(digest));
  if (!readers_->Remove(digest)) return absl::OkStatus();
  absl::Status status = client_.Delete(Key(digest));
  readers_->Deleted(digest);
  return status;
}

}  // namespace tessera::storage

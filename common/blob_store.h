// Files of bytes that are named by their SHA-256.
#ifndef TESSERA_COMMON_BLOB_STORE_H_
#define TESSERA_COMMON_BLOB_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tessera {

// Returns INVALID_ARGUMENT unless `digest` is 64 lower-case hexadecimal digits,
// which also makes it safe as the name of a file.
absl::Status CheckDigest(std::string_view digest);

// A blob as a list shows it.
struct BlobInfo {
  std::string digest;
  int64_t size = 0;  // bytes

  friend bool operator==(const BlobInfo&, const BlobInfo&) = default;
};

// An open blob: its bytes stay readable even when it is removed meanwhile.
// Thread-safe.
class BlobReader {
 public:
  virtual ~BlobReader() = default;

  // Returns the size in bytes.
  virtual int64_t size() const = 0;

  // Returns up to `limit` bytes from `offset` on; empty at the end and past it.
  virtual absl::StatusOr<std::string> Read(int64_t offset,
                                           int64_t limit) const = 0;
};

// Holds blobs and the uploads that are to become blobs.
//
// A blob is there whole, verified and durable, or it is not there: Publish is
// the only way in, and a crash at any instant leaves an upload that goes on
// where it stopped. An upload is known by the digest that its bytes shall have;
// its bytes survive a restart, though not necessarily a power cut.
//
// Every method checks the digest's form (INVALID_ARGUMENT). Other errors:
// RESOURCE_EXHAUSTED when the disk is full, otherwise the code of the failing
// call with the name of the file. Thread-safe, but for one thing: calls about
// the same digest that change something must not overlap.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // --- Uploads ---

  // Returns how many bytes of an upload are held; 0 for one that is unknown.
  virtual absl::StatusOr<int64_t> UploadedBytes(
      const std::string& digest) const = 0;

  // Appends `bytes`; the first call starts the upload. Errors: ABORTED when
  // `offset` is not what UploadedBytes returns. After RESOURCE_EXHAUSTED a part
  // of `bytes` may be held.
  virtual absl::Status Append(const std::string& digest, int64_t offset,
                              std::string_view bytes) = 0;

  // Forgets the bytes from `size` on, of which there may be none.
  virtual absl::Status Truncate(const std::string& digest, int64_t size) = 0;

  // Digests the upload and returns the path of a file of this machine that
  // holds its bytes until the next call about this digest. Errors:
  // INVALID_ARGUMENT when it is not `size` bytes long or the digest differs;
  // what has another digest is forgotten.
  virtual absl::StatusOr<std::string> Verify(const std::string& digest,
                                             int64_t size) = 0;

  // Makes the upload, which Verify accepted, a durable blob.
  virtual absl::Status Publish(const std::string& digest) = 0;

  // Forgets an upload; one that is unknown is fine.
  virtual absl::Status Discard(const std::string& digest) = 0;

  // Forgets uploads that nothing was appended to for longer than `age`; returns
  // how many.
  virtual absl::StatusOr<int64_t> ExpireUploads(absl::Duration age) = 0;

  // --- Blobs ---

  // Opens a blob. Errors: NOT_FOUND.
  virtual absl::StatusOr<std::unique_ptr<BlobReader>> Open(
      const std::string& digest) const = 0;

  // Returns every blob, by digest.
  virtual absl::StatusOr<std::vector<BlobInfo>> List() const = 0;

  // Removes a blob; one that is unknown is fine.
  virtual absl::Status Remove(const std::string& digest) = 0;
};

}  // namespace tessera

#endif  // TESSERA_COMMON_BLOB_STORE_H_

#include "common/folder_blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"
#include "common/sha256.h"
#include "common/status_macros.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

// What is digested at once: few calls, little memory.
constexpr int64_t kDigestBytes = 1 << 20;

// Returns the status of a call of std::filesystem.
absl::Status FromErrorCode(const std::error_code& error, const char* what,
                           const std::string& path) {
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(), absl::StrCat(what, ": ", path));
}

// Removes a file that may be missing.
absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove file: ", path));
}

// Calls `visit` with the path of every file of `folder` whose name is a digest;
// others are not ours and are left alone.
template <typename Visit>
absl::Status ForEachDigest(const std::string& folder, Visit visit) {
  std::error_code error;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (!CheckDigest(it->path().filename().string()).ok()) continue;
    RETURN_IF_ERROR(visit(it->path().string()));
  }
  return FromErrorCode(error, "cannot list folder", folder);
}

// Reads a file to its end and returns its digest.
absl::StatusOr<std::string> DigestOf(const FileDescriptor& file) {
  Sha256Stream digest;
  for (int64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const std::string bytes, file.Read(offset, kDigestBytes));
    if (bytes.empty()) return digest.FinishHex();
    digest.Update(bytes);
    offset += static_cast<int64_t>(bytes.size());
  }
}

// A blob's file; its descriptor keeps the bytes when the name is removed.
class FolderBlobReader final : public BlobReader {
 public:
  FolderBlobReader(FileDescriptor file, int64_t size)
      : file_(std::move(file)), size_(size) {}

  int64_t size() const override { return size_; }
  absl::StatusOr<std::string> Read(int64_t offset,
                                   int64_t limit) const override {
    // Cut to what is left: `limit` may be the caller's idea of everything.
    const int64_t left = std::max<int64_t>(size_ - offset, 0);
    return file_.Read(offset, std::min(limit, left));
  }

 private:
  const FileDescriptor file_;
  // Taken once: a blob never changes its size.
  const int64_t size_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FolderBlobStore>> FolderBlobStore::Open(
    const std::string& folder, Clock& clock) {
  const std::string uploads = absl::StrCat(folder, "/uploads");
  std::error_code error;
  // Makes the folder of the blobs on the way.
  fs::create_directories(uploads, error);
  RETURN_IF_ERROR(FromErrorCode(error, "cannot make folder", uploads));
  return std::unique_ptr<FolderBlobStore>(new FolderBlobStore(folder, clock));
}

FolderBlobStore::FolderBlobStore(std::string folder, Clock& clock)
    : folder_(std::move(folder)), clock_(clock) {}

// Digests are checked before they become paths, so none leads elsewhere.
std::string FolderBlobStore::BlobPath(const std::string& digest) const {
  return absl::StrCat(folder_, "/", digest);
}

// In a folder of their own, so that a list of blobs never shows half a file,
// and in the same file system, so that a rename is all that publishing takes.
std::string FolderBlobStore::UploadPath(const std::string& digest) const {
  return absl::StrCat(folder_, "/uploads/", digest);
}

absl::StatusOr<int64_t> FolderBlobStore::UploadedBytes(
    const std::string& digest) const {
  RETURN_IF_ERROR(CheckDigest(digest));
  const std::string path = UploadPath(digest);
  struct stat facts {};
  if (stat(path.c_str(), &facts) == 0) return facts.st_size;
  // Nobody has sent a byte yet, which is no error.
  if (errno == ENOENT) return 0;
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot look at: ", path));
}

absl::Status FolderBlobStore::Append(const std::string& digest, int64_t offset,
                                     std::string_view bytes) {
  ASSIGN_OR_RETURN(const int64_t size, UploadedBytes(digest));
  // Checked before the file is made: a refusal leaves nothing behind.
  if (offset != size) {
    return absl::AbortedError(absl::StrCat(
        "upload of ", digest, " goes on at byte ", size, ", not at ", offset));
  }
  ASSIGN_OR_RETURN(
      const FileDescriptor file,
      FileDescriptor::Open(UploadPath(digest), O_WRONLY | O_CREAT));
  RETURN_IF_ERROR(file.Write(offset, bytes));
  // Stamped with our clock, not the machine's, as age is told by ours.
  const timespec now = absl::ToTimespec(clock_.Now());
  const timespec times[2] = {now, now};
  return futimens(file.get(), times) == 0 ? absl::OkStatus()
                                          : file.Error("cannot stamp file");
}

absl::Status FolderBlobStore::Truncate(const std::string& digest,
                                       int64_t size) {
  ASSIGN_OR_RETURN(const int64_t held, UploadedBytes(digest));
  // Never grows: that would make bytes that nobody sent.
  if (size >= held) return absl::OkStatus();
  const std::string path = UploadPath(digest);
  if (truncate(path.c_str(), size) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot cut file: ", path));
}

absl::StatusOr<std::string> FolderBlobStore::Verify(const std::string& digest,
                                                    int64_t size) {
  ASSIGN_OR_RETURN(const int64_t held, UploadedBytes(digest));
  // Cheap, so it comes before every byte is read.
  if (held != size) {
    return absl::InvalidArgumentError(
        absl::StrCat("file is incomplete: ", held, " of ", size, " bytes"));
  }
  const std::string path = UploadPath(digest);
  // O_CREAT, as an upload of no bytes has no file yet.
  ASSIGN_OR_RETURN(const FileDescriptor file,
                   FileDescriptor::Open(path, O_RDONLY | O_CREAT));
  ASSIGN_OR_RETURN(const std::string found, DigestOf(file));
  if (found == digest) return path;
  // Some byte is wrong and nobody knows which: the upload has to start anew.
  RETURN_IF_ERROR(RemoveFile(path));
  return absl::InvalidArgumentError(absl::StrCat(
      "sha256: the file's is ", found, ", not ", digest, " as announced"));
}

absl::Status FolderBlobStore::Publish(const std::string& digest) {
  RETURN_IF_ERROR(CheckDigest(digest));
  const std::string from = UploadPath(digest);
  const std::string to = BlobPath(digest);
  {
    // The bytes must be on the disk before the name that vouches for them.
    ASSIGN_OR_RETURN(const FileDescriptor file,
                     FileDescriptor::Open(from, O_RDONLY));
    RETURN_IF_ERROR(file.Sync());
  }
  // Atomic: whoever opens the blob sees all of it or nothing. One that is there
  // already has the same bytes.
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot rename to: ", to));
  }
  // The rename itself is durable only now; the caller may name the blob.
  return SyncFolder(folder_);
}

absl::Status FolderBlobStore::Discard(const std::string& digest) {
  RETURN_IF_ERROR(CheckDigest(digest));
  return RemoveFile(UploadPath(digest));
}

absl::StatusOr<int64_t> FolderBlobStore::ExpireUploads(absl::Duration age) {
  const absl::Time oldest = clock_.Now() - age;
  int64_t expired = 0;
  RETURN_IF_ERROR(ForEachDigest(
      absl::StrCat(folder_, "/uploads"), [&](const std::string& path) {
        struct stat facts {};
        // One that was published meanwhile is simply gone.
        if (stat(path.c_str(), &facts) != 0) return absl::OkStatus();
        // Of the last append; see there.
        if (absl::TimeFromTimespec(facts.st_mtim) >= oldest) {
          return absl::OkStatus();
        }
        ++expired;
        return RemoveFile(path);
      }));
  return expired;
}

absl::StatusOr<std::unique_ptr<BlobReader>> FolderBlobStore::Open(
    const std::string& digest) const {
  RETURN_IF_ERROR(CheckDigest(digest));
  ASSIGN_OR_RETURN(FileDescriptor file,
                   FileDescriptor::Open(BlobPath(digest), O_RDONLY));
  ASSIGN_OR_RETURN(const int64_t size, file.Size());
  return std::make_unique<FolderBlobReader>(std::move(file), size);
}

absl::StatusOr<std::vector<BlobInfo>> FolderBlobStore::List() const {
  std::vector<BlobInfo> blobs;
  RETURN_IF_ERROR(ForEachDigest(folder_, [&](const std::string& path) {
    struct stat facts {};
    if (stat(path.c_str(), &facts) == 0) {
      blobs.push_back({fs::path(path).filename().string(), facts.st_size});
    }
    return absl::OkStatus();
  }));
  std::sort(
      blobs.begin(), blobs.end(),
      [](const BlobInfo& a, const BlobInfo& b) { return a.digest < b.digest; });
  return blobs;
}

absl::Status FolderBlobStore::Remove(const std::string& digest) {
  RETURN_IF_ERROR(CheckDigest(digest));
  // Not synced: a blob that comes back after a power cut is swept again.
  return RemoveFile(BlobPath(digest));
}

}  // namespace tessera

#include "worker/image_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"
#include "common/output_layout.h"
#include "common/sha256.h"
#include "common/status_macros.h"

namespace tessera::worker {
namespace {

// Pictures are for people and for the coordinator, whoever runs them.
constexpr mode_t kFileMode = 0644;

// Returns errno's status, "cannot CALL PATH"; call it before anything else can
// change errno.
absl::Status Failed(const char* call, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", call, " ", path));
}

// Creates a folder and those above it; one that exists is fine.
absl::Status CreateFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat("cannot create folder ", path));
}

// Writes all bytes: a call may write fewer, or none when a signal comes.
absl::Status WriteAll(int file, std::string_view bytes,
                      const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// Creates or replaces a file and flushes its bytes to the disk. A partial file
// may stay behind on errors.
absl::Status WriteFlushed(const std::string& path, std::string_view bytes) {
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (file < 0) return Failed("create", path);
  absl::Status status = WriteAll(file, bytes, path);
  if (status.ok() && ::fsync(file) != 0) status = Failed("flush", path);
  // Reports what close finds: network file systems tell of a full disk here.
  if (::close(file) != 0 && status.ok()) status = Failed("close", path);
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ImageWriter>> ImageWriter::Create(
    const std::string& output_folder, const std::string& worker,
    int64_t shard_index) {
  // Gives every worker a folder of its own, so that two that hold the same
  // shard do not write to one file.
  const std::string temporary =
      absl::StrCat(output_folder, "/", kTemporaryFolder, "/", worker);
  // Holds the pictures of one shard, so that no folder grows without bound.
  const std::string images =
      absl::StrCat(output_folder, "/", ShardFolder(shard_index));
  RETURN_IF_ERROR(CreateFolders(temporary));
  RETURN_IF_ERROR(CreateFolders(images));
  // The names of the new folders must survive a crash as the files do.
  RETURN_IF_ERROR(SyncFolder(absl::StrCat(output_folder, "/images")));
  RETURN_IF_ERROR(SyncFolder(output_folder));
  return std::unique_ptr<ImageWriter>(
      new ImageWriter(output_folder, temporary));
}

ImageWriter::ImageWriter(std::string output_folder,
                         std::string temporary_folder)
    : output_folder_(std::move(output_folder)),
      temporary_folder_(std::move(temporary_folder)) {}

ImageWriter::~ImageWriter() {
  std::error_code ignored;  // the seal removes it anyway
  std::filesystem::remove_all(temporary_folder_, ignored);
}

absl::StatusOr<std::string> ImageWriter::Write(const std::string& path,
                                               std::string_view bytes) {
  const std::string final_path = absl::StrCat(output_folder_, "/", path);
  // Keeps temporary files on the file system of the output: a rename does not
  // work across two.
  const std::string temporary = absl::StrCat(
      temporary_folder_, "/", std::filesystem::path(path).filename().string());
  absl::Status status = WriteFlushed(temporary, bytes);
  // Replaces an earlier attempt's file at once: readers see the old or the new
  // bytes, never a mixture.
  if (status.ok() && std::rename(temporary.c_str(), final_path.c_str()) != 0) {
    status = Failed("rename into place", final_path);
  }
  if (!status.ok()) {
    // Frees the space, which may be what was missing.
    ::unlink(temporary.c_str());
    return status;
  }
  // Comes after the rename: only then is the name durable.
  RETURN_IF_ERROR(
      SyncFolder(std::filesystem::path(final_path).parent_path().string()));
  return Sha256Hex(bytes);
}

}  // namespace tessera::worker

#include "coordinator/output_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/storage/s3_url.h"

namespace tessera::coordinator {
namespace {

namespace fs = std::filesystem;

// INVALID_ARGUMENT: the client chose the folder and has to choose another.
absl::Status Refuse(const std::string& what, const fs::path& path) {
  return absl::InvalidArgumentError(
      absl::StrCat("output folder ", what, ": ", path.string()));
}

// Checks a folder of this machine.
absl::Status CheckFolder(const std::string& folder) {
  std::error_code error;
  fs::path existing(folder);
  // Looks at the nearest ancestor that exists, as the folder itself is made
  // only when the job is accepted.
  while (!fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  if (!fs::is_directory(existing, error)) {
    return existing == folder ? Refuse("is a file", existing)
                              : Refuse("lies below a file", existing);
  }
  // Asked of the kernel, because rights alone do not tell: the file system may
  // be mounted read-only.
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    return Refuse(
        absl::StrCat("cannot be written (", std::strerror(errno), ")"),
        existing);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOutput(const std::string& place,
                         storage::OutputStore& store) {
  if (!storage::IsS3Uri(place)) RETURN_IF_ERROR(CheckFolder(place));
  // The manifest of a finished job is the user's data and is never overwritten.
  ASSIGN_OR_RETURN(const bool taken, store.Exists("manifest.jsonl"));
  if (taken) {
    return absl::FailedPreconditionError(absl::StrCat(
        "output already holds the manifest of another job; choose another "
        "place or remove its contents: ",
        place));
  }
  return absl::OkStatus();
}

absl::Status CreateOutput(const std::string& folder) {
  // A prefix of a bucket is there with its first object.
  if (storage::IsS3Uri(folder)) return absl::OkStatus();
  std::error_code error;
  // A parent that exists is fine; made folders stay when a job fails.
  fs::create_directories(folder, error);
  if (error) {
    return Refuse(absl::StrCat("cannot be created (", error.message(), ")"),
                  folder);
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator

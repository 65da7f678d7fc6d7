#include "coordinator/output_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tessera::coordinator {
namespace {

namespace fs = std::filesystem;

// INVALID_ARGUMENT: the client chose the folder and has to choose another.
absl::Status Refuse(const std::string& what, const fs::path& path) {
  return absl::InvalidArgumentError(
      absl::StrCat("output folder ", what, ": ", path.string()));
}

}  // namespace

absl::StatusOr<std::string> OutputFolder(const std::string& output_uri) {
  // The folder is on a file system that all workers mount, so any path of this
  // machine is taken as theirs.
  const fs::path path(std::string(absl::StripPrefix(output_uri, "file://")));
  // A relative path would mean another folder to each process.
  if (!path.is_absolute() || output_uri.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "output_uri is neither an absolute folder nor file:///folder: ",
        output_uri));
  }
  // Removes "." and ".." by text alone, without links: equal texts are equal
  // folders, while the folder need not exist yet.
  std::string folder = path.lexically_normal().string();
  // A trailing slash survives the normal form but does not make another folder.
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  // Nobody means the root; it is what an empty variable in a script leaves.
  if (folder == "/") return Refuse("is the root of the file system", path);
  return folder;
}

absl::Status CheckOutputFolder(const std::string& folder) {
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
  // The manifest of a finished job is the user's data and is never overwritten.
  if (fs::exists(fs::path(folder) / "manifest.jsonl", error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "output folder already holds the manifest of another job; choose "
        "another folder or remove its contents: ",
        folder));
  }
  return absl::OkStatus();
}

absl::Status CreateOutputFolder(const std::string& folder) {
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

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

absl::Status Refuse(const std::string& what, const fs::path& path) {
  return absl::InvalidArgumentError(
      absl::StrCat("output folder ", what, ": ", path.string()));
}

}  // namespace

absl::StatusOr<std::string> OutputFolder(const std::string& output_uri) {
  const fs::path path(std::string(absl::StripPrefix(output_uri, "file://")));
  if (!path.is_absolute() || output_uri.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "output_uri is neither an absolute folder nor file:///folder: ",
        output_uri));
  }
  std::string folder = path.lexically_normal().string();
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (folder == "/") return Refuse("is the root of the file system", path);
  return folder;
}

absl::Status CheckOutputFolder(const std::string& folder) {
  std::error_code error;
  fs::path existing(folder);
  while (!fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  if (!fs::is_directory(existing, error)) {
    return existing == folder ? Refuse("is a file", existing)
                              : Refuse("lies below a file", existing);
  }
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    return Refuse(
        absl::StrCat("cannot be written (", std::strerror(errno), ")"),
        existing);
  }
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
  fs::create_directories(folder, error);
  if (error) {
    return Refuse(absl::StrCat("cannot be created (", error.message(), ")"),
                  folder);
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator

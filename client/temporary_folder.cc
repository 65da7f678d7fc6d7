#include "client/temporary_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

}  // namespace

absl::StatusOr<TemporaryFolder> TemporaryFolder::Create() {
  const char* parent = std::getenv("TMPDIR");
  // mkdtemp replaces the X and makes a folder for this user alone.
  std::string path =
      absl::StrCat(parent == nullptr || *parent == '\0' ? "/tmp" : parent,
                   "/tessera-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::InternalError(absl::StrCat("no temporary folder: ", path, ": ",
                                            std::strerror(errno)));
  }
  return TemporaryFolder(path);
}

TemporaryFolder::TemporaryFolder(std::string path) : path_(std::move(path)) {}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    // Leaves an empty path: that object removes nothing.
    : path_(std::exchange(other.path_, "")), keep_logs_(other.keep_logs_) {}

TemporaryFolder::~TemporaryFolder() {
  // Errors are ignored: there is nobody to tell, and a file that stays in a
  // temporary folder does no harm.
  std::error_code ignored;
  if (path_.empty()) return;
  if (!keep_logs_) {
    fs::remove_all(path_, ignored);
    return;
  }
  // Collected first, as removing changes what is iterated over.
  std::vector<fs::path> doomed;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(path_, ignored)) {
    if (entry.path().extension() != ".log") doomed.push_back(entry.path());
  }
  for (const fs::path& path : doomed) fs::remove_all(path, ignored);
}

std::string TemporaryFolder::File(const std::string& name) const {
  return (fs::path(path_) / name).string();
}

}  // namespace tessera::client

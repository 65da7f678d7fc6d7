#include "client/output_cleanup.h"

#include <filesystem>
#include <system_error>

#include "common/output_layout.h"
#include "common/storage/s3_url.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

// Returns where workers and the seal write files that are not complete.
fs::path Temporary(const std::string& out) {
  return fs::path(out) / kTemporaryFolder;
}

// Whether something has this name; a link counts, wherever it leads. What
// cannot be looked at counts as well: better left behind than lost.
bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

}  // namespace

OutputBefore LookAtOutput(const std::string& out) {
  if (storage::IsS3Uri(out)) return {};
  return {.folder = IsThere(out), .temporary = IsThere(Temporary(out))};
}

void CleanOutput(const std::string& out, const OutputBefore& before,
                 bool refused) {
  // A bucket holds nothing but whole files.
  if (storage::IsS3Uri(out)) return;
  // Best effort: the job is over, and its result is not changed by a file that
  // stays.
  std::error_code ignored;
  if (!before.temporary) fs::remove_all(Temporary(out), ignored);
  // Removes a folder only when it is empty.
  if (refused && !before.folder) fs::remove(out, ignored);
}

}  // namespace tessera::client

#include "worker/lora/quarantine.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "worker/lora/file_lock.h"

namespace tessera::lora {
namespace {

// Writes `text` into a new or emptied file. It is a note for a person: a loss
// of power may take it.
absl::Status WriteNote(CacheDisk& disk, const std::string& path,
                       std::string_view text) {
  ASSIGN_OR_RETURN(const LockableFile file, LockableFile::OpenOrCreate(path));
  if (::ftruncate(file.descriptor(), 0) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot empty ", path));
  }
  // A longer note of an earlier version is gone by now.
  int64_t offset = 0;
  while (!text.empty()) {
    ASSIGN_OR_RETURN(const size_t count,
                     disk.Write(file.descriptor(), text, offset, path));
    offset += static_cast<int64_t>(count);
    text.remove_prefix(count);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Quarantine(const CacheLayout& layout, CacheDisk& disk,
                        const BadFile& file, absl::Time now) {
  // One line: when, what, why.
  const std::string text = absl::StrCat(
      absl::FormatTime(absl::RFC3339_sec, now, absl::UTCTimeZone()), " ",
      file.path, ": ", file.reason, "\n");
  // The reason first: a file in quarantine without one would be a riddle.
  const absl::Status noted =
      WriteNote(disk, layout.ReasonPath(file.sha256), text);
  absl::Status moved =
      disk.Rename(file.path, layout.QuarantinePath(file.sha256));
  // Being in the way is worse than being lost.
  if (!moved.ok()) moved = disk.Remove(file.path);
  // Once, here: what follows is an ordinary fetch.
  Log(Severity::kError, "LoRA put into quarantine",
      {{"sha256", file.sha256},
       {"reason", file.reason},
       {"moved", moved},
       {"noted", noted}});
  return moved;
}

}  // namespace tessera::lora

#include "worker/lora/cache_layout.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::lora {
namespace {

constexpr size_t kDigits = 64;                   // of a SHA-256 in hexadecimal
constexpr int64_t kNanoseconds = 1'000'000'000;  // of a second

// What the files of each kind end in.
constexpr std::string_view kEntrySuffix = ".safetensors";
constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::string_view kReasonSuffix = ".reason";

// Joins the parts of a path.
std::string Join(const std::string& folder, const std::string& sha256,
                 std::string_view suffix) {
  return absl::StrCat(folder, "/", sha256, std::string(suffix));
}

// Returns the digest that the file name `name` starts with when `suffix` is all
// that follows.
std::optional<std::string> DigestOf(const std::string& name,
                                    std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  // Names of other people's files end here: they are not ours to count or drop.
  std::string digest = name.substr(0, kDigits);
  if (!IsSha256(digest)) return std::nullopt;
  return digest;
}

// Looks at one file; nothing when it is gone or not a regular file.
std::optional<CacheEntry> Look(std::string sha256, std::string path) {
  // Does not follow a link, whose target is not in the cache.
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  return CacheEntry{
      std::move(sha256), std::move(path), static_cast<int64_t>(status.st_size),
      status.st_atim.tv_sec * kNanoseconds + status.st_atim.tv_nsec};
}

// Lists the files `<sha256><suffix>` of `folder`, used longest ago first.
absl::StatusOr<std::vector<CacheEntry>> ListFolder(const std::string& folder,
                                                   std::string_view suffix) {
  // The iterator reports by code: a folder that goes away is no exception.
  std::error_code error;
  std::filesystem::directory_iterator files(folder, error);
  std::vector<CacheEntry> found;
  while (!error && files != std::filesystem::directory_iterator()) {
    const std::string name = files->path().filename().string();
    if (std::optional<std::string> sha256 = DigestOf(name, suffix)) {
      std::optional<CacheEntry> entry =
          Look(*std::move(sha256), files->path().string());
      if (entry) found.push_back(*std::move(entry));
    }
    // Ends the loop with `error` set when the folder fails in the middle.
    files.increment(error);
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot read folder ", folder));
  }
  // The digest decides between equal times, so that all processes see one
  // order.
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.used_ns, a.sha256) < std::tie(b.used_ns, b.sha256);
  });
  return found;
}

}  // namespace

bool IsSha256(std::string_view text) {
  // Upper case is refused: one file, one name.
  return text.size() == kDigits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

int64_t CacheContents::bytes() const {
  // Partials count with what they reserved, quarantine with what it keeps.
  int64_t sum = 0;
  for (const auto* list : {&entries, &partials, &quarantined}) {
    for (const CacheEntry& entry : *list) sum += entry.bytes;
  }
  return sum;
}

CacheLayout::CacheLayout(std::string folder) : folder_(std::move(folder)) {}

absl::Status CacheLayout::MakeFolders() const {
  // Makes the inner folder and with it the outer one. Several workers may do so
  // at once.
  std::error_code error;
  std::filesystem::create_directories(quarantine_folder(), error);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(
      error.value(), absl::StrCat("cannot make the LoRA cache ", folder_));
}

// The paths of one digest differ in folder and ending only, so that one look at
// the folder tells what is known of it.
std::string CacheLayout::EntryPath(const std::string& sha256) const {
  return Join(folder_, sha256, kEntrySuffix);
}

std::string CacheLayout::PartialPath(const std::string& sha256) const {
  return Join(folder_, sha256, kPartialSuffix);
}

std::string CacheLayout::QuarantinePath(const std::string& sha256) const {
  return Join(quarantine_folder(), sha256, kEntrySuffix);
}

std::string CacheLayout::ReasonPath(const std::string& sha256) const {
  return Join(quarantine_folder(), sha256, kReasonSuffix);
}

// A folder inside the cache's, hence on its file system: files move by rename.
std::string CacheLayout::quarantine_folder() const {
  return absl::StrCat(folder_, "/quarantine");
}

// A file that is never removed: a lock on a name that is gone excludes nobody.
std::string CacheLayout::lock_path() const {
  return absl::StrCat(folder_, "/node.lock");
}

absl::StatusOr<CacheContents> CacheLayout::List() const {
  // One kind after the other: a file that is renamed in between may be missed
  // or seen twice, unless the caller holds the node's lock.
  CacheContents contents;
  ASSIGN_OR_RETURN(contents.entries, ListFolder(folder_, kEntrySuffix));
  ASSIGN_OR_RETURN(contents.partials, ListFolder(folder_, kPartialSuffix));
  ASSIGN_OR_RETURN(contents.quarantined,
                   ListFolder(quarantine_folder(), kEntrySuffix));
  return contents;
}

}  // namespace tessera::lora

#include "worker/lora/node_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "worker/lora/quarantine.h"

namespace tessera::lora {
namespace {

// Large enough that reading costs nothing beside digesting.
constexpr size_t kReadBytes = size_t{1} << 20;

// A bad version, and the one that was fetched anew.
constexpr int kMostBadVersions = 2;

// Digests an open file from its beginning. Errors: errno's code.
absl::StatusOr<std::string> DigestFile(const LockableFile& file) {
  // Reads rather than maps: a file that shrinks meanwhile must not raise
  // SIGBUS.
  Sha256Stream digest;
  std::string buffer(kReadBytes, '\0');
  for (off_t offset = 0;;) {
    const ssize_t count =
        ::pread(file.descriptor(), buffer.data(), buffer.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::ErrnoToStatus(errno,
                                 absl::StrCat("cannot read ", file.path()));
    }
    if (count == 0) return digest.FinishHex();
    digest.Update({buffer.data(), static_cast<size_t>(count)});
    offset += count;
  }
}

// Says that `bytes` bytes have the digest `actual` and not `expected`.
absl::Status Mismatch(const std::string& expected, const std::string& actual,
                      int64_t bytes) {
  return absl::DataLossError(
      absl::StrCat("LoRA does not have its digest: expected ", expected,
                   ", found ", actual, " over ", bytes, " bytes"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<NodeCache>> NodeCache::Create(
    const std::string& folder, CacheBound bound, BlobSource& source,
    CacheDisk& disk, CacheEvents& events, Clock& clock) {
  std::unique_ptr<NodeCache> cache(
      new NodeCache(folder, bound, source, disk, events, clock));
  // Sweeping needs the folder; a cache that cannot be swept is no cache.
  RETURN_IF_ERROR(cache->layout_.MakeFolders());
  RETURN_IF_ERROR(cache->room_.Sweep());
  return cache;
}

// Opens nothing yet. The room borrows the layout and the waiter.
NodeCache::NodeCache(const std::string& folder, CacheBound bound,
                     BlobSource& source, CacheDisk& disk, CacheEvents& events,
                     Clock& clock)
    : layout_(folder),
      source_(source),
      disk_(disk),
      events_(events),
      clock_(clock),
      waiter_(bound.patience, clock),
      room_(layout_, bound.bytes, disk, events, waiter_) {}

absl::StatusOr<CachedFile> NodeCache::Open(const std::string& sha256) {
  // The digest becomes a file's name: nothing else may reach the disk.
  if (!IsSha256(sha256)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a SHA-256 in 64 lower-case hexadecimal digits: ", sha256));
  }
  // The short way takes no lock but the entry's own, shared.
  ASSIGN_OR_RETURN(std::optional<LockableFile> entry, OpenEntry(sha256));
  if (entry && Verify(sha256, *entry).ok()) {
    events_.OnHit();
    return MarkUsed(*std::move(entry));
  }
  entry.reset();  // a bad one is dealt with under the claim
  ASSIGN_OR_RETURN(LockableFile fetched, Fetch(sha256));
  return MarkUsed(std::move(fetched));
}

std::optional<CachedFile> NodeCache::OpenTrusted(const std::string& sha256) {
  if (!IsSha256(sha256)) return std::nullopt;
  // Digests nothing: the caller can do without the file.
  absl::StatusOr<std::optional<LockableFile>> entry = OpenEntry(sha256);
  if (!entry.ok() || !entry->has_value() || !IsTrusted(sha256, **entry)) {
    return std::nullopt;
  }
  return MarkUsed(**std::move(entry));
}

std::vector<std::string> NodeCache::Held(size_t limit) const {
  // A folder that cannot be read holds nothing that could be used.
  const absl::StatusOr<CacheContents> contents = layout_.List();
  if (!contents.ok()) return {};
  events_.OnBytes(contents->bytes());
  // From the end of the list, where the one used last is.
  std::vector<std::string> digests;
  for (auto entry = contents->entries.rbegin();
       entry != contents->entries.rend() && digests.size() < limit; ++entry) {
    digests.push_back(entry->sha256);
  }
  return digests;
}

void NodeCache::Stop() {
  // The source first: who holds a claim gives it up to who waits for it.
  source_.Stop();
  waiter_.Stop();
}

// Opens the entry and locks it shared, verified or not; nothing where there is
// none.
absl::StatusOr<std::optional<LockableFile>> NodeCache::OpenEntry(
    const std::string& sha256) {
  while (true) {
    absl::StatusOr<LockableFile> file =
        LockableFile::Open(layout_.EntryPath(sha256));
    if (absl::IsNotFound(file.status())) return std::nullopt;
    RETURN_IF_ERROR(file.status());
    RETURN_IF_ERROR(waiter_.Lock(*file, LockMode::kShared));
    // Dropped or replaced before it was locked: look again.
    if (file->IsInPlace()) return *std::move(file);
  }
}

// Fetches the file, or finds that another process just did. Returns the entry
// locked shared.
absl::StatusOr<LockableFile> NodeCache::Fetch(const std::string& sha256) {
  // A round ends with the file, with an error, or with a bad version put aside.
  bool missed = false;
  for (int bad = 1;; ++bad) {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<PartialFile> partial,
        PartialFile::Claim({layout_, room_, disk_, waiter_}, sha256));
    // From here on nobody else makes or replaces an entry of this digest.
    BadFile found{sha256, layout_.EntryPath(sha256), ""};
    ASSIGN_OR_RETURN(std::optional<LockableFile> entry, OpenEntry(sha256));
    absl::Status status;
    if (entry) {  // fetched by whoever held the claim before, or bad
      status = Verify(sha256, *entry);
      if (status.ok()) {
        events_.OnHit();
        return *std::move(entry);
      }
    } else {
      if (!std::exchange(missed, true)) events_.OnMiss();
      status = Download(sha256, *partial);
      if (status.ok()) {
        ASSIGN_OR_RETURN(LockableFile published, partial->Publish());
        Trust(sha256, published);
        return published;
      }
      if (!absl::IsDataLoss(status)) return status;
      found.path = partial->path();
    }
    found.reason = std::string(status.message());
    // Only what does not have its digest comes here: other errors left above.
    RETURN_IF_ERROR(Quarantine(layout_, disk_, found, clock_.Now()));
    if (!entry) partial->Release();
    if (bad == kMostBadVersions) return status;
  }
}

// Fills `partial` from the source. DATA_LOSS when it has another digest.
absl::Status NodeCache::Download(const std::string& sha256,
                                 PartialFile& partial) {
  const auto start = std::chrono::steady_clock::now();
  const absl::Status fetched = source_.Fetch(
      sha256, 0, [&](std::string_view bytes) { return partial.Append(bytes); });
  if (!fetched.ok()) {
    return absl::Status(fetched.code(),
                        absl::StrCat("cannot fetch LoRA ", sha256, ": ",
                                     std::string(fetched.message())));
  }
  ASSIGN_OR_RETURN(const std::string actual, partial.Finish());
  if (actual != sha256) return Mismatch(sha256, actual, partial.bytes());
  events_.OnLoad(absl::FromChrono(std::chrono::steady_clock::now() - start));
  return absl::OkStatus();
}

// Returns OK when the file has its digest, by looking once a process.
absl::Status NodeCache::Verify(const std::string& sha256,
                               const LockableFile& file) {
  if (IsTrusted(sha256, file)) return absl::OkStatus();
  const absl::StatusOr<std::string> actual = DigestFile(file);
  // A file that cannot be read is as bad as one with other bytes.
  if (!actual.ok()) return absl::DataLossError(actual.status().message());
  if (*actual != sha256) {
    return Mismatch(sha256, *actual, file.identity().bytes);
  }
  Trust(sha256, file);
  return absl::OkStatus();
}

// Says whether this process has verified the file as it is now.
bool NodeCache::IsTrusted(const std::string& sha256, const LockableFile& file) {
  const FileIdentity identity = file.identity();
  absl::MutexLock lock(&mu_);
  const auto known = trusted_.find(sha256);
  return known != trusted_.end() && known->second == identity;
}

// Notes that the file, as it is now, has its digest.
void NodeCache::Trust(const std::string& sha256, const LockableFile& file) {
  const FileIdentity identity = file.identity();
  absl::MutexLock lock(&mu_);
  trusted_.insert_or_assign(sha256, identity);
}

// Sets the time of use that all processes go by.
CachedFile NodeCache::MarkUsed(LockableFile file) const {
  struct timespec times[2] = {absl::ToTimespec(clock_.Now()), {0, UTIME_OMIT}};
  // The order of use is a preference: a file of another user, whose times may
  // not be set, is still served.
  ::futimens(file.descriptor(), times);
  return CachedFile(std::move(file));
}

}  // namespace tessera::lora

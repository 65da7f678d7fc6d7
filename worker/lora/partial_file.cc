#include "worker/lora/partial_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::lora {
namespace {

// Room is reserved in steps, since each step lists the folder: small beside a
// cache, and a few dozen lists for a large LoRA.
constexpr int64_t kReserveBytes = int64_t{16} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<PartialFile>> PartialFile::Claim(
    const PartialFileContext& context, const std::string& sha256) {
  while (true) {
    ASSIGN_OR_RETURN(
        LockableFile file,
        LockableFile::OpenOrCreate(context.layout.PartialPath(sha256)));
    RETURN_IF_ERROR(context.waiter.Lock(file, LockMode::kExclusive));
    // Whoever had the lock has published or removed the file: begin anew.
    if (!file.IsInPlace()) continue;
    // What a dead process wrote may be torn: nothing of it is used.
    if (::ftruncate(file.descriptor(), 0) != 0) {
      return absl::ErrnoToStatus(errno,
                                 absl::StrCat("cannot empty ", file.path()));
    }
    return std::unique_ptr<PartialFile>(
        new PartialFile(context, sha256, std::move(file)));
  }
}

// Takes a locked, empty file.
PartialFile::PartialFile(const PartialFileContext& context, std::string sha256,
                         LockableFile file)
    : context_(context), sha256_(std::move(sha256)), file_(std::move(file)) {}

PartialFile::~PartialFile() {
  // What cannot be removed now is swept by the next process that starts.
  if (owned_) context_.disk.Remove(file_.path()).IgnoreError();
}

absl::Status PartialFile::Append(std::string_view bytes) {
  // Reserves before it writes, so that the bound holds at every moment.
  const int64_t needed = written_ + static_cast<int64_t>(bytes.size());
  if (needed > reserved_) {
    const int64_t wished = std::max(needed, written_ + kReserveBytes);
    absl::StatusOr<int64_t> reserved =
        context_.room.Reserve(file_, needed, wished);
    if (!reserved.ok()) return Explain(reserved.status());
    reserved_ = *reserved;
  }
  // Digests what was handed to the disk; what comes back from it later is
  // digested again by every process that opens the entry.
  RETURN_IF_ERROR(WriteAll(bytes));
  digest_.Update(bytes);
  return absl::OkStatus();
}

// Writes all of `bytes` behind what is written, making room on a full disk.
absl::Status PartialFile::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const absl::StatusOr<size_t> count =
        context_.disk.Write(file_.descriptor(), bytes, written_, file_.path());
    if (count.ok()) {
      written_ += static_cast<int64_t>(*count);
      bytes.remove_prefix(*count);
      continue;
    }
    if (!absl::IsResourceExhausted(count.status())) {
      return Explain(count.status());
    }
    // Somebody else fills the disk: the cache gives way as far as it can. Each
    // round drops a file, so that it ends.
    const absl::StatusOr<int64_t> freed =
        context_.room.Free(static_cast<int64_t>(bytes.size()));
    if (!freed.ok() || *freed == 0) return Explain(count.status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PartialFile::Finish() {
  if (::ftruncate(file_.descriptor(), written_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot cut ", path()));
  }
  return digest_.FinishHex();
}

absl::StatusOr<LockableFile> PartialFile::Publish() {
  // The contents first: a name must never be durable before what it names.
  const absl::Status flushed =
      context_.disk.Flush(file_.descriptor(), file_.path());
  if (!flushed.ok()) return Explain(flushed);
  const std::string entry = context_.layout.EntryPath(sha256_);
  // Nobody counts or drops files while one changes its name.
  ASSIGN_OR_RETURN(const LockableFile node, context_.room.LockNode());
  RETURN_IF_ERROR(context_.disk.Rename(file_.path(), entry));
  owned_ = false;
  // Opened under its new name and locked before anyone can drop it.
  ASSIGN_OR_RETURN(LockableFile published, LockableFile::Open(entry));
  { const LockableFile claim = std::move(file_); }  // ends the claim
  RETURN_IF_ERROR(context_.waiter.Lock(published, LockMode::kShared));
  RETURN_IF_ERROR(context_.disk.FlushFolder(context_.layout.folder()));
  return published;
}

// Says which LoRA, how far it came and where, around what went wrong.
absl::Status PartialFile::Explain(const absl::Status& status) const {
  return absl::Status(
      status.code(),
      absl::StrCat("cannot cache LoRA ", sha256_, " after ", written_,
                   " bytes in ", context_.layout.folder(), ": ",
                   std::string(status.message())));
}

}  // namespace tessera::lora

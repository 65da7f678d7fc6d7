#include "coordinator/lora_library.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Long enough for a person to come back to a push that broke off over night.
constexpr absl::Duration kUploadAge = absl::Hours(24);

// Returns a refusal of a file with how the client calls it; the path of our own
// file, which the inspector puts first, is nobody's business.
absl::Status Refusal(const absl::Status& status, const std::string& path) {
  std::string reason(status.message());
  const std::string prefix = absl::StrCat(path, ": ");
  // Inspectors that do not name the file are fine too.
  if (reason.starts_with(prefix)) reason = reason.substr(prefix.size());
  return absl::Status(status.code(), reason);
}

}  // namespace

// Holds the right to change one digest's file from construction to destruction.
// Turns at different digests do not wait for each other, so that a large file
// that is being digested delays only its own twins.
class LoraLibrary::Turn {
 public:
  Turn(LoraLibrary& library, const std::string& sha256)
      : library_(library), sha256_(sha256) {
    absl::MutexLock lock(&library_.mu_);
    // A map's entries stay where they are while others come and go.
    Queue& queue = library_.queues_[sha256_];
    ++queue.calls;
    const auto free = [&queue] { return !queue.taken; };
    library_.mu_.Await(absl::Condition(&free));
    queue.taken = true;
  }

  ~Turn() {
    absl::MutexLock lock(&library_.mu_);
    Queue& queue = library_.queues_[sha256_];
    queue.taken = false;
    // Kept only while somebody has or wants a turn, so that memory does not
    // grow with every digest that was ever seen.
    if (--queue.calls == 0) library_.queues_.erase(sha256_);
  }

  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  LoraLibrary& library_;
  const std::string sha256_;
};

absl::StatusOr<std::unique_ptr<LoraLibrary>> LoraLibrary::Open(
    Coordinator& coordinator, BlobStore& blobs, LoraInspector inspector) {
  std::unique_ptr<LoraLibrary> library(
      new LoraLibrary(coordinator, blobs, std::move(inspector)));
  // Before any call can come, so it needs no turns.
  RETURN_IF_ERROR(library->Sweep());
  RETURN_IF_ERROR(library->ExpireUploads());
  return library;
}

LoraLibrary::LoraLibrary(Coordinator& coordinator, BlobStore& blobs,
                         LoraInspector inspector)
    : coordinator_(coordinator),
      blobs_(blobs),
      inspector_(std::move(inspector)) {}

// Removes what a crash left: files that were kept and never registered, or
// forgotten and not yet removed.
absl::Status LoraLibrary::Sweep() {
  ASSIGN_OR_RETURN(const LoraPage first, coordinator_.ListLoras("", 1));
  ASSIGN_OR_RETURN(const std::vector<BlobInfo> blobs, blobs_.List());
  // Files beside a store that knows of none are more likely another store's
  // than all left over.
  if (first.loras.empty()) {
    if (!blobs.empty()) {
      Log(Severity::kWarning, "store names none of the LoRA files; all kept",
          {{"files", blobs.size()}});
    }
    return absl::OkStatus();
  }
  for (const BlobInfo& blob : blobs) {
    ASSIGN_OR_RETURN(const std::optional<Lora> row,
                     coordinator_.FindLoraFile(blob.digest));
    if (row.has_value()) continue;
    // The client was never told that it is there, and pushes it again.
    RETURN_IF_ERROR(blobs_.Remove(blob.digest));
    Log(Severity::kWarning, "LoRA file without a name removed",
        {{"sha256", blob.digest}, {"bytes", blob.size}});
  }
  return absl::OkStatus();
}

// Returns whether the file is registered and there. A file that somebody took
// away is as good as never sent: the next push brings it back.
absl::StatusOr<bool> LoraLibrary::Holds(const std::string& sha256) {
  ASSIGN_OR_RETURN(const std::optional<Lora> row,
                   coordinator_.FindLoraFile(sha256));
  // A file without a row is about to be removed, or about to get its row.
  if (!row.has_value()) return false;
  const absl::Status opened = blobs_.Open(sha256).status();
  if (absl::IsNotFound(opened)) return false;
  RETURN_IF_ERROR(opened);
  return true;
}

absl::StatusOr<int64_t> LoraLibrary::ReceivedBytes(const std::string& sha256) {
  RETURN_IF_ERROR(CheckDigest(sha256));
  ASSIGN_OR_RETURN(const bool held, Holds(sha256));
  // Asked without a turn: an answer that is old by the time it arrives makes
  // Begin refuse the offset, and the client asks again.
  if (!held) return blobs_.UploadedBytes(sha256);
  ASSIGN_OR_RETURN(const std::unique_ptr<BlobReader> reader,
                   blobs_.Open(sha256));
  return reader->size();
}

absl::StatusOr<std::optional<LoraEntry>> LoraLibrary::Begin(
    const LoraHeader& header) {
  const std::string& sha256 = header.name.sha256;
  if (header.size_bytes < 1 || header.size_bytes > kMaxLoraBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("size_bytes: must be from 1 to ", kMaxLoraBytes, ", got ",
                     header.size_bytes));
  }
  if (header.offset < 0 || header.offset > header.size_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset: must be from 0 to the size, ", header.size_bytes,
                     ", got ", header.offset));
  }
  const Turn turn(*this, sha256);
  // Most pushes of large installations repeat what is there: they end here.
  ASSIGN_OR_RETURN(std::optional<LoraEntry> known, RegisterHeld(header));
  if (known.has_value()) return known;
  ASSIGN_OR_RETURN(const int64_t received, blobs_.UploadedBytes(sha256));
  if (header.offset > received) {
    return absl::AbortedError(
        absl::StrCat("offset: only ", received, " bytes of ", sha256,
                     " are held, ask again and go on there"));
  }
  // A client that starts earlier than it could sends those bytes again.
  RETURN_IF_ERROR(blobs_.Truncate(sha256, header.offset));
  return std::nullopt;
}

// Gives a file that is there one more name; returns nothing when it is not
// there. The caller has the turn.
absl::StatusOr<std::optional<LoraEntry>> LoraLibrary::RegisterHeld(
    const LoraHeader& header) {
  ASSIGN_OR_RETURN(const bool held, Holds(header.name.sha256));
  if (!held) return std::nullopt;
  ASSIGN_OR_RETURN(const std::optional<Lora> row,
                   coordinator_.FindLoraFile(header.name.sha256));
  // Rows go without a turn; the file is about to follow.
  if (!row.has_value()) return absl::AbortedError("LoRA was just deleted");
  if (row->size_bytes != header.size_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("size_bytes: the file with this digest has ",
                     row->size_bytes, " bytes, not ", header.size_bytes));
  }
  ASSIGN_OR_RETURN(LoraEntry entry, Register(header, row->facts));
  return entry;
}

absl::Status LoraLibrary::Append(const LoraHeader& header, int64_t offset,
                                 std::string_view bytes) {
  const int64_t end = offset + static_cast<int64_t>(bytes.size());
  // Refused before it is written: the size bounds what one upload costs.
  if (end > header.size_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: the file is larger than announced: ", end, " of ",
                     header.size_bytes, " bytes"));
  }
  const Turn turn(*this, header.name.sha256);
  return blobs_.Append(header.name.sha256, offset, bytes);
}

absl::StatusOr<LoraEntry> LoraLibrary::Finish(const LoraHeader& header,
                                              int64_t end) {
  const std::string& sha256 = header.name.sha256;
  const Turn turn(*this, sha256);
  // Another upload of the same bytes may have been faster.
  ASSIGN_OR_RETURN(std::optional<LoraEntry> known, RegisterHeld(header));
  if (known.has_value()) return *std::move(known);
  ASSIGN_OR_RETURN(const int64_t received, blobs_.UploadedBytes(sha256));
  // Or it began anew: what is missing now is not this client's fault.
  if (end == header.size_bytes && received != end) {
    return absl::AbortedError(
        absl::StrCat("another upload of ", sha256, " took over"));
  }
  ASSIGN_OR_RETURN(const LoraFacts facts, Inspect(header));
  // The order of these two is what makes a row a promise.
  RETURN_IF_ERROR(blobs_.Publish(sha256));
  absl::StatusOr<LoraEntry> entry = Register(header, facts);
  // Without a row nothing would ever use or remove the file.
  if (!entry.ok()) RemoveUnneeded(sha256).IgnoreError();
  return entry;
}

// Checks the digest and then the contents of an upload.
absl::StatusOr<LoraFacts> LoraLibrary::Inspect(const LoraHeader& header) {
  const std::string& sha256 = header.name.sha256;
  ASSIGN_OR_RETURN(const std::string path,
                   blobs_.Verify(sha256, header.size_bytes));
  absl::StatusOr<LoraFacts> facts = inspector_(path);
  if (facts.ok()) return facts;
  // The bytes are what the client meant to send: sending them again is no use.
  RETURN_IF_ERROR(blobs_.Discard(sha256));
  return Refusal(facts.status(), path);
}

// Writes the row of a durable file. The caller has the turn, so nobody removes
// the file meanwhile.
absl::StatusOr<LoraEntry> LoraLibrary::Register(const LoraHeader& header,
                                                const LoraFacts& facts) {
  ASSIGN_OR_RETURN(LoraEntry entry,
                   coordinator_.PutLora({.name = header.name.name,
                                         .sha256 = header.name.sha256,
                                         .size_bytes = header.size_bytes,
                                         .facts = facts}));
  Log(Severity::kInfo, "LoRA registered",
      {{"name", entry.lora.name},
       {"sha256", entry.lora.sha256},
       {"bytes", entry.lora.size_bytes},
       {"dialect", entry.lora.facts.dialect}});
  return entry;
}

absl::Status LoraLibrary::Delete(const LoraName& name) {
  // Rows first: a row without its file would be a broken promise, a file
  // without a row is only a waste.
  ASSIGN_OR_RETURN(const std::vector<std::string> unneeded,
                   coordinator_.DeleteLora(name));
  Log(Severity::kInfo, "LoRA deleted",
      {{"name", name.name}, {"sha256", name.sha256}});
  for (const std::string& sha256 : unneeded) {
    const Turn turn(*this, sha256);
    const absl::Status status = RemoveUnneeded(sha256);
    // The name is gone for good; a file that stays is swept at the next start.
    if (!status.ok()) {
      Log(Severity::kWarning, "file of a deleted LoRA stays until restart",
          {{"sha256", sha256}, {"error", status}});
    }
  }
  return absl::OkStatus();
}

// Removes a file unless a name needs it, which may have come since the caller
// last looked. The caller has the turn.
absl::Status LoraLibrary::RemoveUnneeded(const std::string& sha256) {
  ASSIGN_OR_RETURN(const std::optional<Lora> row,
                   coordinator_.FindLoraFile(sha256));
  return row.has_value() ? absl::OkStatus() : blobs_.Remove(sha256);
}

absl::StatusOr<std::unique_ptr<BlobReader>> LoraLibrary::Read(
    const std::string& sha256) {
  RETURN_IF_ERROR(CheckDigest(sha256));
  ASSIGN_OR_RETURN(const std::optional<Lora> row,
                   coordinator_.FindLoraFile(sha256));
  // Only what is registered is served, even if more lies there.
  if (!row.has_value()) {
    return absl::NotFoundError(absl::StrCat("unknown LoRA file: ", sha256));
  }
  return blobs_.Open(sha256);
}

absl::Status LoraLibrary::ExpireUploads() {
  ASSIGN_OR_RETURN(const int64_t expired, blobs_.ExpireUploads(kUploadAge));
  if (expired > 0) {
    Log(Severity::kInfo, "unfinished uploads forgotten", {{"count", expired}});
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator

#include "coordinator/prompt_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "coordinator/field_rules.h"

namespace tessera::coordinator {
namespace {

// Messages collected before the rest of the file is not looked at.
constexpr size_t kMaxComplaints = 10;
// Editors on Windows put it first; JSON does not allow it.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// What is kept of a line until it ends: the longest one with the byte order
// mark and the CR, which do not count.
constexpr size_t kMaxKeptBytes = kMaxLineBytes + kByteOrderMark.size() + 1;

// Whether a line holds nothing but white space.
bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == line.npos;
}

// Says where the id was seen first. Line 0 stands for one of the many lines
// whose ids are implicit, which are remembered as a bound only.
std::string DuplicateReason(const DuplicateId& duplicate) {
  if (duplicate.first_line == 0) {
    return "custom_id: is the index of an earlier line without one";
  }
  return absl::StrCat("custom_id: already used by line ", duplicate.first_line);
}

}  // namespace

PromptFile::PromptFile(PromptFileOptions options, Sink sink)
    : parser_(std::move(options.line)),
      ids_(options.memory_ids),
      sink_(std::move(sink)) {}

absl::Status PromptFile::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    // The bytes come as the network cut them: a line may be spread over many
    // calls, and a call may hold many lines.
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(std::min(piece.size() + 1, bytes.size()));
    // The usual case: a whole line in these bytes is parsed in place, uncopied.
    if (end != piece.npos && partial_.empty() && !too_long_) {
      RETURN_IF_ERROR(EndLine(piece));
      continue;
    }
    // EndLine says what is too long; here memory is bounded.
    if (partial_.size() + piece.size() > kMaxKeptBytes) too_long_ = true;
    if (!too_long_) partial_.append(piece);
    if (end == piece.npos) break;
    // Also when it is too long: the line counts, and is complained about.
    RETURN_IF_ERROR(EndLine(partial_));
    partial_.clear();
    too_long_ = false;
  }
  return absl::OkStatus();
}

absl::Status PromptFile::Finish() {
  // The last line needs no end; an empty rest is no line.
  if (!partial_.empty() || too_long_) RETURN_IF_ERROR(EndLine(partial_));
  if (complaints_.empty() && lines_ == 0) {
    return absl::InvalidArgumentError("prompts file is empty: no prompts");
  }
  // Duplicates that were told at once were complained about by Accept; both
  // kinds share the limit of messages.
  const size_t room = kMaxComplaints - complaints_.size();
  ASSIGN_OR_RETURN(std::vector<DuplicateId> duplicates, ids_.Finish(room));
  // Found in order of digest; users read them in order of line.
  std::sort(duplicates.begin(), duplicates.end(),
            [](const DuplicateId& a, const DuplicateId& b) {
              return a.line < b.line;
            });
  for (const DuplicateId& duplicate : duplicates) {
    Complain(duplicate.line, DuplicateReason(duplicate));
  }
  return complaints_.empty() ? absl::OkStatus() : Complaints();
}

// Judges a complete line, without its LF. Errors: the sink's, or all messages
// once there are ten.
absl::Status PromptFile::EndLine(std::string_view line) {
  ++line_number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line_number_ == 1 && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (too_long_ || line.size() > kMaxLineBytes) {
    // Counted as a line with content, so that the ids of later ones stay right.
    ++lines_;
    Complain(line_number_,
             absl::StrCat("longer than ", kMaxLineBytes, " bytes"));
  } else if (!IsBlank(line)) {
    ++lines_;
    absl::StatusOr<PromptLine> parsed = parser_.Parse(line);
    if (parsed.ok()) {
      RETURN_IF_ERROR(Accept(*std::move(parsed)));
    } else if (!absl::IsInvalidArgument(parsed.status())) {
      return parsed.status();  // the registry's: the line may well be good
    } else {
      // Collected, not returned: users mend a file faster when they see ten
      // errors at once.
      Complain(line_number_, std::string(parsed.status().message()));
    }
  }
  return complaints_.size() < kMaxComplaints ? absl::OkStatus() : Complaints();
}

// Gives the line its index and id, and hands it on unless the file is bad.
absl::Status PromptFile::Accept(PromptLine line) {
  line.line = lines_ - 1;
  ASSIGN_OR_RETURN(const std::optional<DuplicateId> duplicate,
                   // Before the sink: an id names pictures, so its second use
                   // must not get into a shard.
                   ids_.Add(line.custom_id, line.line, line_number_));
  if (duplicate.has_value()) {
    Complain(line_number_, DuplicateReason(*duplicate));
    return absl::OkStatus();
  }
  // Only now, as UniqueIds treats implicit ids as a range.
  if (line.custom_id.empty()) line.custom_id = absl::StrCat(line.line);
  // After the first error no shard needs to be stored: the job will be dropped.
  return complaints_.empty() ? sink_(std::move(line)) : absl::OkStatus();
}

// Adds a message; numbers count from 1, as editors do.
void PromptFile::Complain(int64_t line_number, std::string_view reason) {
  complaints_.push_back(
      absl::StrCat("line ", line_number, ": ", std::string(reason)));
}

// Returns all messages at once, a line each.
absl::Status PromptFile::Complaints() const {
  return absl::InvalidArgumentError(absl::StrCat(
      absl::StrJoin(complaints_, "\n"),
      complaints_.size() < kMaxComplaints
          ? ""
          : "\n(the first ten errors; what follows was not checked)"));
}

}  // namespace tessera::coordinator

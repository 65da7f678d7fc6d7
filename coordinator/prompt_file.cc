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
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == line.npos;
}

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
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(std::min(piece.size() + 1, bytes.size()));
    if (end != piece.npos && partial_.empty() && !too_long_) {
      RETURN_IF_ERROR(EndLine(piece));
      continue;
    }
    // One byte more than a line may have: the CR of its end.
    if (partial_.size() + piece.size() > kMaxLineBytes + 1) too_long_ = true;
    if (!too_long_) partial_.append(piece);
    if (end == piece.npos) break;
    RETURN_IF_ERROR(EndLine(partial_));
    partial_.clear();
    too_long_ = false;
  }
  return absl::OkStatus();
}

absl::Status PromptFile::Finish() {
  if (!partial_.empty() || too_long_) RETURN_IF_ERROR(EndLine(partial_));
  if (complaints_.empty() && lines_ == 0) {
    return absl::InvalidArgumentError("prompts file is empty: no prompts");
  }
  const size_t room = kMaxComplaints - complaints_.size();
  ASSIGN_OR_RETURN(std::vector<DuplicateId> duplicates, ids_.Finish(room));
  std::sort(duplicates.begin(), duplicates.end(),
            [](const DuplicateId& a, const DuplicateId& b) {
              return a.line < b.line;
            });
  for (const DuplicateId& duplicate : duplicates) {
    Complain(duplicate.line, DuplicateReason(duplicate));
  }
  return complaints_.empty() ? absl::OkStatus() : Complaints();
}

absl::Status PromptFile::EndLine(std::string_view line) {
  ++line_number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line_number_ == 1 && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (too_long_ || line.size() > kMaxLineBytes) {
    ++lines_;
    Complain(line_number_,
             absl::StrCat("longer than ", kMaxLineBytes, " bytes"));
  } else if (!IsBlank(line)) {
    ++lines_;
    absl::StatusOr<PromptLine> parsed = parser_.Parse(line);
    if (parsed.ok()) {
      RETURN_IF_ERROR(Accept(*std::move(parsed)));
    } else {
      Complain(line_number_, std::string(parsed.status().message()));
    }
  }
  return complaints_.size() < kMaxComplaints ? absl::OkStatus() : Complaints();
}

absl::Status PromptFile::Accept(PromptLine line) {
  line.line = lines_ - 1;
  ASSIGN_OR_RETURN(const std::optional<DuplicateId> duplicate,
                   ids_.Add(line.custom_id, line.line, line_number_));
  if (duplicate.has_value()) {
    Complain(line_number_, DuplicateReason(*duplicate));
    return absl::OkStatus();
  }
  if (line.custom_id.empty()) line.custom_id = absl::StrCat(line.line);
  return complaints_.empty() ? sink_(std::move(line)) : absl::OkStatus();
}

void PromptFile::Complain(int64_t line_number, std::string_view reason) {
  complaints_.push_back(
      absl::StrCat("line ", line_number, ": ", std::string(reason)));
}

absl::Status PromptFile::Complaints() const {
  return absl::InvalidArgumentError(absl::StrCat(
      absl::StrJoin(complaints_, "\n"),
      complaints_.size() < kMaxComplaints
          ? ""
          : "\n(the first ten errors; what follows was not checked)"));
}

}  // namespace tessera::coordinator

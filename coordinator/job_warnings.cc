#include "coordinator/job_warnings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tessera::coordinator {
namespace {

// Bounds what one job holds in memory and in its row.
constexpr size_t kMostWarnings = 16;
constexpr size_t kLongestWarning = 1024;

// Whether a byte continues a character of UTF-8.
bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Cuts a text to the longest kept, between two characters, and to one line.
std::string Line(std::string text) {
  if (text.size() > kLongestWarning) {
    size_t end = kLongestWarning;
    while (end > 0 && IsContinuation(text[end])) --end;
    text.resize(end);
  }
  // The row of a job separates warnings by line feeds.
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

bool AddWarnings(const std::vector<std::string>& said,
                 std::vector<std::string>& warnings) {
  const size_t before = warnings.size();
  for (const std::string& text : said) {
    if (warnings.size() >= kMostWarnings) break;
    std::string line = Line(text);
    if (line.empty()) continue;
    if (std::find(warnings.begin(), warnings.end(), line) == warnings.end()) {
      warnings.push_back(std::move(line));
    }
  }
  return warnings.size() > before;
}

void WarnOfRetry(const TaskFailure& failure,
                 std::vector<std::string>& warnings) {
  const std::string what = absl::StrCat("pictures are tried again after ",
                                        failure.code, ", first: ");
  for (const std::string& warning : warnings) {
    if (absl::StartsWith(warning, what)) return;
  }
  AddWarnings({absl::StrCat(what, failure.reason)}, warnings);
}

}  // namespace tessera::coordinator

#include "worker/lora/adapter_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tessera::lora {
namespace {

// The keys that an error names; a report lists more.
constexpr int64_t kKeysInError = 3;

// Joins counts as "12 LoRA, 3 LoHa".
std::string Join(const std::map<std::string, int64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " ", name);
  }
  return text.empty() ? "none" : text;
}

// Calls `add` for the first unmatched keys and returns how many are left out.
template <typename Add>
int64_t ForFirst(const AdapterReport& report, int64_t most, Add add) {
  const auto all = static_cast<int64_t>(report.unmatched.size());
  for (int64_t i = 0; i < std::min(all, most); ++i) {
    add(report.unmatched[static_cast<size_t>(i)]);
  }
  return std::max<int64_t>(0, all - most);
}

}  // namespace

std::string UnmatchedText(const AdapterReport& report) {
  if (report.unmatched.empty()) return "";
  std::string text =
      absl::StrCat(report.matched_keys, " of ", report.keys,
                   " keys matched, dialect ", report.dialect, ": ");
  if (!report.base_mismatch.empty()) {
    absl::StrAppend(&text, report.base_mismatch, ": ");
  }
  // Names a few keys, which most often show what is wrong.
  bool first = true;
  const int64_t more =
      ForFirst(report, kKeysInError, [&](const UnmatchedKey& one) {
        absl::StrAppend(&text, first ? "" : ", ", one.key, " (", one.why, ")");
        first = false;
      });
  if (more > 0) absl::StrAppend(&text, " and ", more, " more");
  return text;
}

absl::Status VerdictOn(const AdapterReport& report) {
  if (report.unmatched.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      report.file,
      ": the LoRA does not fit the model: ", UnmatchedText(report)));
}

// Aligns the words, one fact a line, so that lines can be searched.
std::string RenderReport(const AdapterReport& report, int64_t most_keys) {
  std::string text = absl::StrCat("file     ", report.file, "\n",     //
                                  "dialect  ", report.dialect, "\n",  //
                                  "keys     ", report.matched_keys,   //
                                  " of ", report.keys, " matched\n",  //
                                  "layers   ", Join(report.layers_by_net),
                                  "\n",  //
                                  "kinds    ", Join(report.layers_by_kind),
                                  "\n",  //
                                  "memory   ", report.bytes, " bytes\n");
  if (!report.base_mismatch.empty()) {
    absl::StrAppend(&text, "base     ", report.base_mismatch, "\n");
  }
  const int64_t more =
      ForFirst(report, most_keys, [&](const UnmatchedKey& one) {
        absl::StrAppend(&text, "unmatched  ", one.key, ": ", one.why, "\n");
      });
  if (more > 0) {
    absl::StrAppend(&text, "unmatched  and ", more, " more keys\n");
  }
  return text;
}

}  // namespace tessera::lora

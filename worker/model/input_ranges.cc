#include "worker/model/input_ranges.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace tessera::model {

absl::StatusOr<InputRanges> InputRanges::Parse(std::string_view text,
                                               const std::string& path) {
  InputRanges ranges;
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(text), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::vector<std::string> fields = absl::StrSplit(lines[i], ' ');
    float largest = 0;
    if (fields.size() != 2 || fields[0].empty() ||
        !absl::SimpleAtof(fields[1], &largest) || !std::isfinite(largest) ||
        largest <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": expected a layer and a positive number, line ",
                       i + 1, ": ", lines[i]));
    }
    ranges.Widen(fields[0], largest);
  }
  return ranges;
}

void InputRanges::Widen(const std::string& name, float largest) {
  float& known = largest_[name];
  known = std::max(known, largest);
}

std::optional<float> InputRanges::Find(
    const std::vector<std::string>& names) const {
  float largest = 0;
  for (const std::string& name : names) {
    const auto found = largest_.find(name);
    if (found == largest_.end()) return std::nullopt;
    largest = std::max(largest, found->second);
  }
  if (largest <= 0) return std::nullopt;
  return largest;
}

// Writes nine digits, from which a float is read back as it was.
std::string InputRanges::Format() const {
  std::string text;
  for (const auto& [name, largest] : largest_) {
    if (largest > 0) absl::StrAppendFormat(&text, "%s %.9g\n", name, largest);
  }
  return text;
}

}  // namespace tessera::model

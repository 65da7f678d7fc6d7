// Flags of a process as the user set them, before their values are read.
#ifndef TESSERA_COMMON_SETTINGS_H_
#define TESSERA_COMMON_SETTINGS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tessera {

// A value given to a flag.
struct Setting {
  std::string name;    // one of the names asked for
  std::string value;   // as given
  std::string source;  // the variable or the flag as spelled, for messages
};

// Reads a variable of the environment.
using Environment =
    std::function<std::optional<std::string>(const std::string&)>;

// Returns the variable that stands in for a flag: "log-format" is set by
// "TESSERA_LOG_FORMAT".
std::string VariableName(std::string_view flag);

// Returns what is set for the flags `names` (without dashes before, with
// dashes between words): first by the environment, then by `arguments` of the
// forms --flag=value and --flag value, with - or _ between words. Applied in
// this order, arguments win. Errors: INVALID_ARGUMENT naming the argument.
absl::StatusOr<std::vector<Setting>> ReadSettings(
    const std::vector<std::string>& names, const Environment& environment,
    const std::vector<std::string>& arguments);

}  // namespace tessera

#endif  // TESSERA_COMMON_SETTINGS_H_

#include "common/settings.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace tessera {

std::string VariableName(std::string_view flag) {
  return absl::StrCat("TESSERA_", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                      std::string(flag), {{"-", "_"}})));
}

absl::StatusOr<std::vector<Setting>> ReadSettings(
    const std::vector<std::string>& names, const Environment& environment,
    const std::vector<std::string>& arguments) {
  std::vector<Setting> settings;
  for (const std::string& name : names) {
    const std::string variable = VariableName(name);
    if (const std::optional<std::string> value = environment(variable)) {
      settings.push_back({name, *value, variable});
    }
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    // "--flag=value" is cut at its first equals sign; values may hold others.
    const size_t equals = std::min(argument.find('='), argument.size());
    const std::string spelled = argument.substr(0, equals);
    // A single dash is no flag here.
    const std::string name =
        spelled.starts_with("--")
            ? absl::StrReplaceAll(spelled.substr(2), {{"_", "-"}})
            : "";
    // Names it as written: a mistyped flag must not be ignored.
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown argument: ", argument));
    }
    if (equals < argument.size()) {
      settings.push_back({name, argument.substr(equals + 1), spelled});
    } else if (i + 1 < arguments.size()) {
      // Takes the next argument whatever it looks like: a value may start with
      // a dash, as a negative number does.
      settings.push_back({name, arguments[++i], spelled});
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("value missing after: ", spelled));
    }
  }
  return settings;
}

}  // namespace tessera

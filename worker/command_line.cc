#include "worker/command_line.h"

#include <algorithm>

#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/check.h"
#include "common/status_macros.h"

namespace tessera::worker {
namespace {

// Returns the flag `name`, which the program has declared.
absl::CommandLineFlag& Flag(const std::string& name) {
  absl::CommandLineFlag* const flag = absl::FindCommandLineFlag(name);
  CHECK(flag != nullptr);
  return *flag;
}

// Parses `value` into a flag; `source` is the argument or variable to blame.
absl::Status Set(const std::string& name, const std::string& value,
                 const std::string& source) {
  std::string error;
  if (Flag(name).ParseFrom(value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("bad value of ", source, ": \"", value, "\""));
}

// Spells a flag as users type it.
std::string Spelled(const std::string& name) {
  return absl::StrCat("--", absl::StrReplaceAll(name, {{"_", "-"}}));
}

}  // namespace

std::string EnvironmentName(const std::string& flag) {
  return absl::StrCat("TESSERA_", absl::AsciiStrToUpper(flag));
}

absl::Status SetFlags(
    const std::vector<std::string>& names,
    const std::function<std::optional<std::string>(const std::string&)>&
        environment,
    const std::vector<std::string>& arguments) {
  // Takes the environment first, so that an argument overrides a variable.
  for (const std::string& name : names) {
    const std::string variable = EnvironmentName(name);
    if (const std::optional<std::string> value = environment(variable)) {
      RETURN_IF_ERROR(Set(name, *value, variable));
    }
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    // Splits --flag=value; without "=" the value is the next argument.
    const size_t equals = std::min(argument.find('='), argument.size());
    const std::string spelled = argument.substr(0, equals);
    // Accepts dashes and underscores alike; a single dash is no flag here.
    const std::string name =
        spelled.starts_with("--")
            ? absl::StrReplaceAll(spelled.substr(2), {{"-", "_"}})
            : "";
    // Knows only the program's own flags, not those that libraries declare.
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown argument: ", argument));
    }
    if (equals < argument.size()) {
      RETURN_IF_ERROR(Set(name, argument.substr(equals + 1), spelled));
    } else if (i + 1 < arguments.size()) {
      // Takes the next argument even if it starts with a dash, as a negative
      // number does.
      RETURN_IF_ERROR(Set(name, arguments[++i], spelled));
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("value missing after: ", spelled));
    }
  }
  return absl::OkStatus();
}

std::string HelpText(const std::string& usage,
                     const std::vector<std::string>& names) {
  std::string text = usage;
  for (const std::string& name : names) {
    const absl::CommandLineFlag& flag = Flag(name);
    // Shows no default where it is empty.
    const std::string value = flag.DefaultValue();
    absl::StrAppend(&text, "\n  ", Spelled(name), "\n      ", flag.Help(),
                    "\n      ", value.empty() ? "" : "Default: ", value,
                    value.empty() ? "" : ". ",
                    "Variable: ", EnvironmentName(name), ".\n");
  }
  return text;
}

}  // namespace tessera::worker

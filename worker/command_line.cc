#include "worker/command_line.h"

#include "absl/flags/reflection.h"
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

// Parses a value into the flag it was given to.
absl::Status Set(const Setting& setting) {
  std::string error;
  const std::string name = absl::StrReplaceAll(setting.name, {{"-", "_"}});
  if (Flag(name).ParseFrom(setting.value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "bad value of ", setting.source, ": \"", setting.value, "\""));
}

// Spells a flag as users type it, without the dashes before.
std::string Dashed(const std::string& name) {
  return absl::StrReplaceAll(name, {{"_", "-"}});
}

}  // namespace

absl::Status SetFlags(const std::vector<std::string>& names,
                      const Environment& environment,
                      const std::vector<std::string>& arguments) {
  std::vector<std::string> dashed;
  for (const std::string& name : names) dashed.push_back(Dashed(name));
  // Looks for the program's own flags alone, not those that libraries declare.
  ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                   ReadSettings(dashed, environment, arguments));
  for (const Setting& setting : settings) {
    RETURN_IF_ERROR(Set(setting));
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
    absl::StrAppend(&text, "\n  --", Dashed(name), "\n      ", flag.Help(),
                    "\n      ", value.empty() ? "" : "Default: ", value,
                    value.empty() ? "" : ". ", "Variable: ", VariableName(name),
                    ".\n");
  }
  return text;
}

}  // namespace tessera::worker

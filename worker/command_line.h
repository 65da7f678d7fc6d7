// Flags from the command line and the environment.
#ifndef TESSERA_WORKER_COMMAND_LINE_H_
#define TESSERA_WORKER_COMMAND_LINE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace tessera::worker {

// Returns the variable that a flag is read from: "metrics_listen" becomes
// "TESSERA_METRICS_LISTEN".
std::string EnvironmentName(const std::string& flag);

// Sets the ABSL flags `names` first from the environment, read by
// `environment`, then from `arguments` of the forms --flag=value and
// --flag value, with - or _ between words. INVALID_ARGUMENT names the argument
// or variable that is not understood.
absl::Status SetFlags(
    const std::vector<std::string>& names,
    const std::function<std::optional<std::string>(const std::string&)>&
        environment,
    const std::vector<std::string>& arguments);

// Returns the text of --help: `usage`, then each flag with its meaning,
// default and variable.
std::string HelpText(const std::string& usage,
                     const std::vector<std::string>& names);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_COMMAND_LINE_H_

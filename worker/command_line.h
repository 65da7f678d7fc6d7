// Flags from the command line and the environment.
#ifndef TESSERA_WORKER_COMMAND_LINE_H_
#define TESSERA_WORKER_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/settings.h"

namespace tessera::worker {

// Sets the ABSL flags `names` from the environment and from `arguments`, as
// ReadSettings does. INVALID_ARGUMENT names the argument or variable that is
// not understood.
absl::Status SetFlags(const std::vector<std::string>& names,
                      const Environment& environment,
                      const std::vector<std::string>& arguments);

// Returns the text of --help: `usage`, then each flag with its meaning,
// default and variable.
std::string HelpText(const std::string& usage,
                     const std::vector<std::string>& names);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_COMMAND_LINE_H_

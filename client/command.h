// What a subcommand is and what the command line gives every one of them.
#ifndef TESSERA_CLIENT_COMMAND_H_
#define TESSERA_CLIENT_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/exit_codes.h"
#include "client/progress.h"
#include "common/clock.h"

namespace tessera::client {

// Where a command prints and what it knows of its surroundings.
struct CommandContext {
  std::ostream& out;  // results
  std::ostream& err;  // messages and progress
  Clock& clock;
  // host:port from the environment; empty when unset.
  std::string default_coordinator;
  bool err_is_terminal = false;
  int columns = 80;  // width of the terminal
};

// One subcommand. `run` returns the exit code; where there are `actions`, the
// next word names one of them, which is run instead.
struct Command {
  CommandSpec spec;  // of an action, the name is "command action"
  std::function<int(const Arguments&, CommandContext&)> run;
  std::vector<Command> actions = {};
};

// Prints why the command failed and returns the exit code that tells it.
int Report(const absl::Status& status, CommandContext& context);

// Returns what the common flags ask of a client; `on_retry` as in
// ClientOptions. Errors: INVALID_ARGUMENT for a bad flag or address.
absl::StatusOr<ClientOptions> OptionsFrom(
    const Arguments& arguments, CommandContext& context,
    std::function<void(const absl::Status&)> on_retry);

// Makes the client that the common flags ask for; `on_retry` as in
// ClientOptions. Errors: INVALID_ARGUMENT for a bad flag or address.
absl::StatusOr<Client> ConnectAs(
    const Arguments& arguments, CommandContext& context,
    std::function<void(const absl::Status&)> on_retry);

// Makes the display of progress that the flags and the terminal ask for.
Progress MakeProgress(const Arguments& arguments, CommandContext& context);

// Prints how a job ended, as JSON or as text, and returns its exit code.
int ReportEnd(const v1::Job& job, const Arguments& arguments,
              CommandContext& context);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_COMMAND_H_

#include "client/commands/lora.h"
#include "client/lora_client.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Deletes the name, or the version, that the command line gives.
absl::Status Remove(const Arguments& arguments, CommandContext& context) {
  ASSIGN_OR_RETURN(ClientOptions options,
                   OptionsFrom(arguments, context, nullptr));
  LoraClient client = ConnectLoras(std::move(options), context.clock);
  // The service checks the form of the name and says what is wrong with it.
  return client.Delete(arguments.positional());
}

// Runs the action and returns the exit code. Nothing is printed: there is
// nothing left to show.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::Status status = Remove(arguments, context);
  return status.ok() ? kExitDone : Report(status, context);
}

}  // namespace

Command LoraRmCommand() {
  return {{"lora rm",
           "NAME[@SHA256]",
           "forgets a name with all its versions, or one version",
           {}},
          Run,
          {}};
}

}  // namespace tessera::client

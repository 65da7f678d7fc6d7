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
  return client.Delete(arguments.positional());
}

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

#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Asks for the end of the job; repeating it is harmless.
absl::StatusOr<v1::Job> Cancel(const Arguments& arguments,
                               CommandContext& context) {
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  return client.CancelJob(arguments.positional());
}

// Prints the job as it is after the cancel. Finished pictures stay, so this is
// success even when the job was nearly done.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::StatusOr<v1::Job> job = Cancel(arguments, context);
  if (!job.ok()) return Report(job.status(), context);
  context.out << (arguments.Has("json") ? ToJson(*job) : FormatSummary(*job))
              << std::endl;
  return kExitDone;
}

}  // namespace

Command CancelCommand() {
  return {{"cancel",
           "JOB",
           "stops a job; finished pictures and the manifest stay",
           {}},
          Run};
}

}  // namespace tessera::client

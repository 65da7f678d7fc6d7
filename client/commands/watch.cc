#include "client/commands/commands.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Follows the job, across restarts of the coordinator, to its last state.
absl::StatusOr<v1::Job> Watch(const Arguments& arguments,
                              CommandContext& context, Progress& progress) {
  ASSIGN_OR_RETURN(
      Client client,
      ConnectAs(arguments, context, [&progress](const absl::Status& reason) {
        progress.ShowAway(reason);
      }));
  return client.WatchJob(arguments.positional(),
                         [&](const v1::Job& job) { progress.Show(job); });
}

// Prints how the job ended and returns the code that tells it.
int Run(const Arguments& arguments, CommandContext& context) {
  Progress progress = MakeProgress(arguments, context);
  const absl::StatusOr<v1::Job> job = Watch(arguments, context, progress);
  progress.End();
  if (!job.ok()) return Report(job.status(), context);
  return ReportEnd(*job, arguments, context);
}

}  // namespace

Command WatchCommand() {
  return {{"watch", "JOB", "follows a job to its end", {}}, Run};
}

}  // namespace tessera::client

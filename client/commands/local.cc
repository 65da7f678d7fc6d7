#include <thread>

#include "client/commands/commands.h"
#include "client/local_job.h"
#include "client/local_request.h"
#include "client/temporary_folder.h"
#include "client/termination_signals.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Runs the job with everything that it needs; whatever ends it, processes and
// temporary files are gone afterwards.
absl::StatusOr<v1::Job> RunJob(const Arguments& arguments,
                               CommandContext& context, Progress& progress) {
  // Before anything that starts threads.
  TerminationSignals signals;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  ASSIGN_OR_RETURN(const LocalRequest request,
                   MakeLocalRequest(arguments, cores));
  // Everything of the run but the pictures lives here; the destructor removes
  // it after `job` has stopped its processes.
  ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create());
  if (request.keep_logs) {
    // Said at the start, so that a person can look while it runs.
    folder.KeepLogs();
    progress.Note("logs: " + folder.path());
  }
  LocalJob job(request, folder, signals, progress, context.clock);
  return job.Run();
}

// Prints how it ended. An interrupted job was already announced, so only the
// code tells of it.
int Run(const Arguments& arguments, CommandContext& context) {
  Progress progress = MakeProgress(arguments, context);
  const absl::StatusOr<v1::Job> job = RunJob(arguments, context, progress);
  progress.End();
  if (job.ok()) return ReportEnd(*job, arguments, context);
  if (job.status().code() == absl::StatusCode::kCancelled) {
    return kExitInterrupted;
  }
  return Report(job.status(), context);
}

}  // namespace

Command LocalCommand() {
  return {
      {"local", "PROMPTS.jsonl",
       "runs a coordinator, workers and one job on this machine", LocalFlags()},
      Run};
}

}  // namespace tessera::client

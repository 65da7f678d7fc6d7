#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Asks once; a job that is unknown is an error, never an empty answer (I11).
absl::StatusOr<v1::Job> Get(const Arguments& arguments,
                            CommandContext& context) {
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  return client.GetJob(arguments.positional());
}

// Prints the job for a person, a fact a line.
void Print(const v1::Job& job, std::ostream& out) {
  const v1::ImageCounts& images = job.images();
  out << "job        " << job.job_id() << "\n"
      << "state      " << StateName(job.state()) << "\n"
      << "model      " << job.model() << "\n"
      << "output     " << job.output_uri() << "\n"
      << "pictures   " << images.total() << ": " << images.done() << " done, "
      << images.waiting() << " waiting, " << images.failed() << " failed, "
      << images.cancelled() << " cancelled\n"
      << "shards     " << job.shards_finished() << " of " << job.shards()
      << " finished, " << job.retries() << " retries\n";
  // Left out while nothing is made, where it would read like a standstill.
  if (job.images_per_second() > 0) {
    out << "rate       " << job.images_per_second() << " pictures a second\n";
  }
  if (!job.message().empty()) out << "message    " << job.message() << "\n";
  for (const std::string& warning : job.warnings()) {
    out << "warning    " << warning << "\n";
  }
  out << std::flush;
}

// Prints the job. Exit code 0 even when it failed: the question was answered.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::StatusOr<v1::Job> job = Get(arguments, context);
  if (!job.ok()) return Report(job.status(), context);
  if (arguments.Has("json")) {
    context.out << ToJson(*job) << std::endl;
  } else {
    Print(*job, context.out);
  }
  return kExitDone;
}

}  // namespace

Command StatusCommand() {
  return {{"status", "JOB", "shows where a job stands", {}}, Run};
}

}  // namespace tessera::client

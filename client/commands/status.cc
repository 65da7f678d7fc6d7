#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

absl::StatusOr<v1::Job> Get(const Arguments& arguments,
                            CommandContext& context) {
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  return client.GetJob(arguments.positional());
}

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
  if (job.images_per_second() > 0) {
    out << "rate       " << job.images_per_second() << " pictures a second\n";
  }
  if (!job.message().empty()) out << "message    " << job.message() << "\n";
  out << std::flush;
}

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

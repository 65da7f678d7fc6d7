#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Asks for the workers, lost ones included.
absl::StatusOr<v1::ListWorkersResponse> Fetch(const Arguments& arguments,
                                              CommandContext& context) {
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  return client.ListWorkers();
}

// Prints a worker in one line, with what it executes when it said so.
void Print(const v1::Worker& worker, std::ostream& out) {
  out << absl::StrFormat(
      "%-26s %-10s %-8s %2d threads %8d pictures  %s", worker.worker_id(),
      StateName(worker.state()), worker.device(), worker.threads(),
      worker.images_done(), absl::StrJoin(worker.models(), ","));
  if (!worker.job_id().empty()) {
    out << "  " << worker.job_id() << " shard " << worker.shard_index();
  }
  out << "\n";
}

// Prints the workers; that there are none is worth a word to a person, but no
// error.
int Run(const Arguments& arguments, CommandContext& context) {
  const auto response = Fetch(arguments, context);
  if (!response.ok()) return Report(response.status(), context);
  for (const v1::Worker& worker : response->workers()) {
    if (arguments.Has("json")) {
      context.out << ToJson(worker) << "\n";
    } else {
      Print(worker, context.out);
    }
  }
  if (response->workers().empty() && !arguments.Has("json")) {
    context.err << "no workers are known" << std::endl;
  }
  context.out << std::flush;
  return kExitDone;
}

}  // namespace

Command WorkersCommand() {
  return {{"workers", "", "lists the workers of the service", {}}, Run};
}

}  // namespace tessera::client

#include <algorithm>

#include "absl/strings/str_format.h"
#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// A screenful or two, newest first.
constexpr int64_t kDefaultLimit = 50;
// The largest page that the service gives.
constexpr int64_t kLargestPage = 1000;

// Prints a job in one line, columns aligned for the usual lengths.
void Print(const v1::Job& job, const Arguments& arguments, std::ostream& out) {
  if (arguments.Has("json")) {
    out << ToJson(job) << "\n";
    return;
  }
  out << absl::StrFormat("%-26s %-10s %8d/%-8d %s\n", job.job_id(),
                         StateName(job.state()), job.images().done(),
                         job.images().total(), job.output_uri());
}

// Turns pages until enough jobs are listed or there are none left.
absl::Status List(const Arguments& arguments, CommandContext& context) {
  ASSIGN_OR_RETURN(const auto limit, arguments.Integer("limit", 1, INT32_MAX));
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  int64_t left = limit.value_or(kDefaultLimit);
  v1::ListJobsRequest request;
  while (left > 0) {
    request.set_page_size(static_cast<int32_t>(std::min(left, kLargestPage)));
    ASSIGN_OR_RETURN(const v1::ListJobsResponse page, client.ListJobs(request));
    for (const v1::Job& job : page.jobs()) {
      // A page may hold more than is left of the limit.
      if (left-- > 0) Print(job, arguments, context.out);
    }
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  context.out << std::flush;
  return absl::OkStatus();
}

// Says what went wrong, if anything; an empty list is no failure.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::Status status = List(arguments, context);
  return status.ok() ? kExitDone : Report(status, context);
}

}  // namespace

Command ListCommand() {
  return {{"list",
           "",
           "lists jobs, newest first",
           {{"limit", "N", "how many at most; default 50"}}},
          Run};
}

}  // namespace tessera::client

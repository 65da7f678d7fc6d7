#include <algorithm>

#include "absl/strings/str_format.h"
#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

constexpr int64_t kDefaultLimit = 50;
constexpr int64_t kLargestPage = 1000;

void Print(const v1::Job& job, const Arguments& arguments, std::ostream& out) {
  if (arguments.Has("json")) {
    out << ToJson(job) << "\n";
    return;
  }
  out << absl::StrFormat("%-26s %-10s %8d/%-8d %s\n", job.job_id(),
                         StateName(job.state()), job.images().done(),
                         job.images().total(), job.output_uri());
}

absl::Status List(const Arguments& arguments, CommandContext& context) {
  ASSIGN_OR_RETURN(const auto limit, arguments.Integer("limit", 1, INT32_MAX));
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  int64_t left = limit.value_or(kDefaultLimit);
  v1::ListJobsRequest request;
  while (left > 0) {
    request.set_page_size(static_cast<int32_t>(std::min(left, kLargestPage)));
    ASSIGN_OR_RETURN(const v1::ListJobsResponse page, client.ListJobs(request));
    for (const v1::Job& job : page.jobs()) {
      if (left-- > 0) Print(job, arguments, context.out);
    }
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  context.out << std::flush;
  return absl::OkStatus();
}

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

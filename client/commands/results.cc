#include "client/commands/commands.h"
#include "client/job_json.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// The largest page that the service gives; a page ends with a whole shard.
constexpr int kPageSize = 1000;

// Prints a picture in one line, with tabs between fields for `cut` and `awk`.
void Print(const v1::Image& image, const Arguments& arguments,
           std::ostream& out) {
  if (arguments.Has("json")) {
    out << ToJson(image) << "\n";
    return;
  }
  out << image.path() << "\t" << image.width() << "x" << image.height()
      << "\tseed " << image.seed() << "\t" << image.sha256() << "\n";
}

// Streams the pictures page by page, so that a job of millions needs no memory.
absl::Status ListResults(const Arguments& arguments, CommandContext& context) {
  ASSIGN_OR_RETURN(const auto limit, arguments.Integer("limit", 1, INT64_MAX));
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  int64_t left = limit.value_or(INT64_MAX);
  v1::ListImagesRequest request;
  request.set_job_id(arguments.positional());
  request.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(const v1::ListImagesResponse page,
                     client.ListImages(request));
    for (const v1::Image& image : page.images()) {
      if (left-- > 0) Print(image, arguments, context.out);
    }
    request.set_page_token(page.next_page_token());
  } while (left > 0 && !request.page_token().empty());
  context.out << std::flush;
  return absl::OkStatus();
}

// Says what went wrong, if anything; a job without pictures is no failure.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::Status status = ListResults(arguments, context);
  return status.ok() ? kExitDone : Report(status, context);
}

}  // namespace

Command ResultsCommand() {
  return {{"results",
           "JOB",
           "lists the finished pictures of a job",
           {{"limit", "N", "how many at most; default all"}}},
          Run};
}

}  // namespace tessera::client

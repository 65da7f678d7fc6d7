#include <memory>

#include "client/commands/commands.h"
#include "client/job_flags.h"
#include "client/job_json.h"
#include "client/output_cleanup.h"
#include "client/output_files.h"
#include "client/outputs.h"
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

// Brings the pictures, in the order in which they are listed, to a folder or
// bucket. What is there already stays, so that a run that broke off goes on.
absl::Status BringTo(const std::string& place, const Arguments& arguments,
                     CommandContext& context) {
  ASSIGN_OR_RETURN(Client client, ConnectAs(arguments, context, nullptr));
  ASSIGN_OR_RETURN(const v1::Job job, client.GetJob(arguments.positional()));
  Outputs outputs(context.clock);
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputStore> from,
                   outputs.Open(job.output_uri()));
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputStore> to,
                   outputs.Open(place));
  v1::ListImagesRequest request;
  request.set_job_id(arguments.positional());
  request.set_page_size(kPageSize);
  int64_t brought = 0;
  int64_t kept = 0;
  do {
    ASSIGN_OR_RETURN(const v1::ListImagesResponse page,
                     client.ListImages(request));
    for (const v1::Image& image : page.images()) {
      ASSIGN_OR_RETURN(const bool moved,
                       BringFile(*from, *to, {image.path(), image.sha256()}));
      ++(moved ? brought : kept);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  // The manifest last, so that it stands for what is there; a job that has not
  // ended has none of them.
  for (const char* file : {"errors.jsonl", "job.json", "manifest.jsonl"}) {
    RETURN_IF_ERROR(BringWhole(*from, *to, file));
  }
  context.out << brought << " pictures brought, " << kept
              << " were there already" << std::endl;
  return absl::OkStatus();
}

// Leaves nothing of our own behind in the folder, whatever happened.
absl::Status BringResults(const Arguments& arguments, CommandContext& context) {
  const std::string place = AbsoluteUri(arguments.Text("to", ""));
  const OutputBefore before = LookAtOutput(place);
  const absl::Status status = BringTo(place, arguments, context);
  CleanOutput(place, before, !status.ok());
  return status;
}

// Says what went wrong, if anything; a job without pictures is no failure.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::Status status = arguments.Has("to")
                                  ? BringResults(arguments, context)
                                  : ListResults(arguments, context);
  return status.ok() ? kExitDone : Report(status, context);
}

}  // namespace

Command ResultsCommand() {
  return {{"results",
           "JOB",
           "lists or brings the finished pictures of a job",
           {{"limit", "N", "how many are listed at most; default all"},
            {"to", "DIR", "folder that the pictures are brought to"}}},
          Run};
}

}  // namespace tessera::client

#include "client/commands/commands.h"
#include "client/job_flags.h"
#include "client/job_json.h"
#include "client/prompts_file.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Makes the header from the flags. The model is a name here; whether a worker
// has it shows in the job's message.
absl::StatusOr<v1::JobHeader> MakeHeader(const Arguments& arguments) {
  ASSIGN_OR_RETURN(v1::JobHeader header, MakeJobHeader(arguments));
  header.set_model(arguments.Text("model", ""));
  if (header.model().empty()) {
    return absl::InvalidArgumentError(
        "--model: the name of a model on the workers is wanted");
  }
  for (const std::string& text : arguments.Texts("lora")) {
    ASSIGN_OR_RETURN(*header.mutable_defaults()->add_loras(), ParseLora(text));
  }
  return header;
}

// Creates the job and, when asked for, follows it to its end.
absl::StatusOr<v1::Job> Submit(const Arguments& arguments,
                               CommandContext& context, Progress& progress) {
  ASSIGN_OR_RETURN(const v1::JobHeader header, MakeHeader(arguments));
  ASSIGN_OR_RETURN(const PromptsFile prompts,
                   PromptsFile::Open(arguments.positional()));
  ASSIGN_OR_RETURN(
      Client client,
      ConnectAs(arguments, context, [&progress](const absl::Status& reason) {
        progress.ShowAway(reason);
      }));
  absl::StatusOr<v1::Job> job = client.CreateJob(header, prompts);
  if (!job.ok()) return prompts.Locate(job.status());
  // A repeated submit gets the first job, so watching works in both cases.
  if (!arguments.Has("watch")) return job;
  progress.Show(*job);
  return client.WatchJob(job->job_id(),
                         [&](const v1::Job& now) { progress.Show(now); });
}

// Prints the job's id alone, so that a script can take it; with --watch, how
// the job ended.
int Run(const Arguments& arguments, CommandContext& context) {
  Progress progress = MakeProgress(arguments, context);
  const absl::StatusOr<v1::Job> job = Submit(arguments, context, progress);
  // Ends the bar before anything else is printed.
  progress.End();
  if (!job.ok()) return Report(job.status(), context);
  if (arguments.Has("watch")) return ReportEnd(*job, arguments, context);
  // The id is printed after the service has stored the job (I2).
  context.out << (arguments.Has("json") ? ToJson(*job) : job->job_id())
              << std::endl;
  return kExitDone;
}

}  // namespace

Command SubmitCommand() {
  return {{"submit", "PROMPTS.jsonl",
           "submits a file of prompts (- is standard input); prints the job",
           WithJobFlags({{"model", "NAME", "the model's name (required)"},
                         {"lora", "NAME[@SHA256][:SCALE]",
                          "LoRA of lines that name none; may be repeated"},
                         {"watch", "", "follow the job to its end"}})},
          Run};
}

}  // namespace tessera::client

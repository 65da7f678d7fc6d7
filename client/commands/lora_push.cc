#include "client/commands/lora.h"
#include "client/job_json.h"
#include "client/lora_client.h"
#include "client/transfer_progress.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Returns how the progress is shown, which is as for jobs.
ProgressStyle StyleOf(const Arguments& arguments,
                      const CommandContext& context) {
  if (arguments.Has("json")) return ProgressStyle::kJson;
  return context.err_is_terminal ? ProgressStyle::kBar : ProgressStyle::kLines;
}

// Digests the file and sends it.
absl::StatusOr<v1::Lora> Push(const Arguments& arguments,
                              CommandContext& context) {
  const std::string& name = arguments.positionals()[0];
  // Before the service is asked: a file that cannot be read needs no network.
  ASSIGN_OR_RETURN(const LoraFile file,
                   LoraFile::Open(arguments.positionals()[1]));
  TransferProgress progress(StyleOf(arguments, context), file.size,
                            context.columns, context.err, context.clock);
  ASSIGN_OR_RETURN(
      ClientOptions options,
      OptionsFrom(arguments, context, [&](const absl::Status& why) {
        progress.Note("trying again: " + std::string(why.message()));
      }));
  LoraClient client = ConnectLoras(std::move(options), context.clock);
  absl::StatusOr<v1::Lora> lora =
      client.Push(name, file, [&](int64_t sent) { progress.Show(sent); });
  // Also after an error, whose message needs a line of its own.
  progress.End();
  return lora;
}

// Runs the action and returns the exit code.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::StatusOr<v1::Lora> lora = Push(arguments, context);
  if (!lora.ok()) return Report(lora.status(), context);
  if (arguments.Has("json")) {
    context.out << ToJson(*lora) << std::endl;
  } else {
    // In the form that `--lora` and a prompt line take for this very version.
    context.out << lora->name() << "@" << lora->sha256() << std::endl;
  }
  return kExitDone;
}

}  // namespace

Command LoraPushCommand() {
  return {{"lora push",
           "NAME FILE",
           "registers a file under a name; prints the version",
           {}},
          Run,
          {}};
}

}  // namespace tessera::client

#include <memory>

#include "client/commands/commands.h"
#include "client/job_flags.h"
#include "client/output_files.h"
#include "client/outputs.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace tessera::client {
namespace {

// Compares the output that the command line names with its manifest.
absl::StatusOr<VerifyReport> Verify(const Arguments& arguments,
                                    CommandContext& context) {
  Outputs outputs(context.clock);
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputStore> output,
                   outputs.Open(AbsoluteUri(arguments.positional())));
  return VerifyOutput(*output);
}

// Prints what was found; files that are wrong change the exit code.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::StatusOr<VerifyReport> report = Verify(arguments, context);
  if (!report.ok()) return Report(report.status(), context);
  for (const std::string& problem : report->problems) {
    context.err << problem << "\n";
  }
  if (arguments.Has("json")) {
    const nlohmann::ordered_json object = {{"pictures", report->pictures},
                                           {"intact", report->intact},
                                           {"damaged", report->damaged},
                                           {"unnamed", report->unnamed}};
    context.out << object.dump() << std::endl;
  } else {
    context.out << report->intact << " of " << report->pictures
                << " pictures are intact, " << report->damaged
                << " damaged or missing, " << report->unnamed
                << " not in the manifest" << std::endl;
  }
  const bool good = report->damaged == 0 && report->unnamed == 0;
  return good ? kExitDone : kExitIncomplete;
}

}  // namespace

Command VerifyCommand() {
  return {
      {"verify", "OUT", "compares a folder or bucket with its manifest", {}},
      Run};
}

}  // namespace tessera::client

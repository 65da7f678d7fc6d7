#include "client/command.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// The port that a coordinator listens on unless it is told otherwise.
constexpr char kDefaultCoordinator[] = "localhost:7070";
// Failures that are shown: enough to see what is wrong, the file has the rest.
constexpr int kErrorsShown = 3;
// A day; nobody waits longer for a service.
constexpr int64_t kLongestRetry = 86400;  // seconds
constexpr int kHighestPort = 65535;

// Checks the form only, so that a typing error is not tried for 15 seconds.
absl::Status CheckAddress(const std::string& address) {
  // The last colon: addresses of IPv6 hold others.
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 ||
      port > kHighestPort) {
    return absl::InvalidArgumentError(
        absl::StrCat("--coordinator: HOST:PORT is wanted: ", address));
  }
  return absl::OkStatus();
}

// Shows the first lines of the job's errors.jsonl where this machine has it.
void ShowErrors(const v1::Job& job, std::ostream& err) {
  std::string folder = job.output_uri();
  // Workers write to a folder that may be mounted here or not; when it is not,
  // nothing is shown and nothing is wrong.
  if (folder.starts_with("file://")) folder = folder.substr(7);
  const std::string path =
      (std::filesystem::path(folder) / "errors.jsonl").string();
  std::ifstream file(path);
  std::string line;
  for (int i = 0; i < kErrorsShown && std::getline(file, line); ++i) {
    err << "  " << line << "\n";
  }
  if (std::getline(file, line)) err << "  ... more in " << path << "\n";
}

}  // namespace

int Report(const absl::Status& status, CommandContext& context) {
  context.err << "tessera: " << std::string(status.message()) << std::endl;
  return ExitCodeFor(status);
}

absl::StatusOr<ClientOptions> OptionsFrom(
    const Arguments& arguments, CommandContext& context,
    std::function<void(const absl::Status&)> on_retry) {
  ClientOptions options;
  options.coordinator =
      // The flag wins over the environment, the environment over the default.
      arguments.Text("coordinator", context.default_coordinator.empty()
                                        ? kDefaultCoordinator
                                        : context.default_coordinator);
  RETURN_IF_ERROR(CheckAddress(options.coordinator));
  ASSIGN_OR_RETURN(const auto seconds,
                   arguments.Integer("retry-for", 0, kLongestRetry));
  // Asked for explicitly, it holds before and after the first contact.
  if (seconds.has_value()) {
    options.patience = absl::Seconds(*seconds);
    options.patience_after_contact = absl::Seconds(*seconds);
  }
  options.on_retry = std::move(on_retry);
  return options;
}

absl::StatusOr<Client> ConnectAs(
    const Arguments& arguments, CommandContext& context,
    std::function<void(const absl::Status&)> on_retry) {
  ASSIGN_OR_RETURN(ClientOptions options,
                   OptionsFrom(arguments, context, std::move(on_retry)));
  return Connect(std::move(options), context.clock);
}

Progress MakeProgress(const Arguments& arguments, CommandContext& context) {
  if (arguments.Has("json")) {
    // JSON goes to standard output: it is the result. Progress for a person
    // goes to standard error, so that a pipe gets results only.
    return Progress(ProgressStyle::kJson, 0, context.out, context.clock);
  }
  const ProgressStyle style =
      context.err_is_terminal ? ProgressStyle::kBar : ProgressStyle::kLines;
  return Progress(style, context.columns, context.err, context.clock);
}

int ReportEnd(const v1::Job& job, const Arguments& arguments,
              CommandContext& context) {
  // With --json the last state was printed as it was seen.
  if (!arguments.Has("json")) {
    if (job.images().failed() > 0) ShowErrors(job, context.err);
    context.out << FormatSummary(job) << std::endl;
  }
  return ExitCodeFor(job);
}

}  // namespace tessera::client

#include "client/command.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

constexpr char kDefaultCoordinator[] = "localhost:7070";
constexpr int kErrorsShown = 3;
constexpr int64_t kLongestRetry = 86400;  // seconds
constexpr int kHighestPort = 65535;

absl::Status CheckAddress(const std::string& address) {
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

absl::StatusOr<Client> ConnectAs(
    const Arguments& arguments, CommandContext& context,
    std::function<void(const absl::Status&)> on_retry) {
  ClientOptions options;
  options.coordinator =
      arguments.Text("coordinator", context.default_coordinator.empty()
                                        ? kDefaultCoordinator
                                        : context.default_coordinator);
  RETURN_IF_ERROR(CheckAddress(options.coordinator));
  ASSIGN_OR_RETURN(const auto seconds,
                   arguments.Integer("retry-for", 0, kLongestRetry));
  if (seconds.has_value()) {
    options.patience = absl::Seconds(*seconds);
    options.patience_after_contact = absl::Seconds(*seconds);
  }
  options.on_retry = std::move(on_retry);
  return Connect(std::move(options), context.clock);
}

Progress MakeProgress(const Arguments& arguments, CommandContext& context) {
  if (arguments.Has("json")) {
    return Progress(ProgressStyle::kJson, 0, context.out, context.clock);
  }
  const ProgressStyle style =
      context.err_is_terminal ? ProgressStyle::kBar : ProgressStyle::kLines;
  return Progress(style, context.columns, context.err, context.clock);
}

int ReportEnd(const v1::Job& job, const Arguments& arguments,
              CommandContext& context) {
  if (!arguments.Has("json")) {
    if (job.images().failed() > 0) ShowErrors(job, context.err);
    context.out << FormatSummary(job) << std::endl;
  }
  return ExitCodeFor(job);
}

}  // namespace tessera::client

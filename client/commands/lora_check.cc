#include "client/commands/lora.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"
#include "worker/lora/adapter_check.h"
#include "worker/lora/adapter_report.h"

namespace tessera::client {
namespace {

// The unmatched keys that a report for people lists; JSON has all of them.
constexpr int64_t kKeysShown = 20;

// Returns the report as one line of JSON.
std::string ToJson(const lora::AdapterReport& report) {
  nlohmann::ordered_json unmatched = nlohmann::ordered_json::array();
  for (const lora::UnmatchedKey& one : report.unmatched) {
    unmatched.push_back({{"key", one.key}, {"why", one.why}});
  }
  const nlohmann::ordered_json object = {
      {"file", report.file},
      {"fits", report.unmatched.empty()},
      {"dialect", report.dialect},
      {"keys", report.keys},
      {"matched_keys", report.matched_keys},
      {"layers_by_net", report.layers_by_net},
      {"layers_by_kind", report.layers_by_kind},
      {"base_mismatch", report.base_mismatch},
      {"bytes", report.bytes},
      {"unmatched", unmatched}};
  return object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Reads the file as a worker with the model would.
absl::StatusOr<lora::AdapterReport> Check(const Arguments& arguments) {
  const std::string model = arguments.Text("model", "");
  if (model.empty()) {
    return absl::InvalidArgumentError("--model is required: a model folder");
  }
  return lora::CheckAdapterFile(arguments.positional(), model);
}

// Prints the report, whatever it says, and what follows from it.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::StatusOr<lora::AdapterReport> report = Check(arguments);
  if (!report.ok()) {
    Report(report.status(), context);
    return kExitBadInput;
  }
  if (arguments.Has("json")) {
    context.out << ToJson(*report) << std::endl;
  } else {
    context.out << lora::RenderReport(*report, kKeysShown) << std::flush;
  }
  const absl::Status verdict = lora::VerdictOn(*report);
  if (verdict.ok()) return kExitDone;
  Report(verdict, context);
  return kExitBadInput;
}

}  // namespace

Command LoraCheckCommand() {
  return {{"lora check",
           "FILE",
           "says whether a LoRA fits a model folder on this machine",
           {{"model", "DIR", "folder of the model"}}},
          Run,
          {}};
}

}  // namespace tessera::client

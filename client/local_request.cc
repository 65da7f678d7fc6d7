#include "client/local_request.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/job_flags.h"
#include "common/status_macros.h"
#include "common/storage/s3_url.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

// More than any machine is well served with: a worker uses many threads.
constexpr int64_t kMostWorkers = 64;
constexpr int64_t kMostThreads = 1024;
// Two, so that one computes while the other loads, decodes or writes, and a
// crash does not stop the job.
constexpr int64_t kDefaultWorkers = 2;
// What the service allows for names.
constexpr size_t kLongestModelName = 128;

// Whether the folder's name can be the model's name. The service checks it
// again; an error found here can name the flag.
bool IsModelName(const std::string& name) {
  return !name.empty() && name.size() <= kLongestModelName && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

// Returns the model folder, absolute, as workers are told the folder above it.
absl::StatusOr<std::string> CheckModelFolder(const std::string& given) {
  if (given.empty()) {
    return absl::InvalidArgumentError("--model: a model folder is wanted");
  }
  const fs::path folder = AbsoluteUri(given);
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--model: no such folder: ", given));
  }
  if (!IsModelName(folder.filename().string())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--model: the folder's name may hold letters, digits, '.', '_' and "
        "'-' only and not start with a dot: ",
        given));
  }
  return folder.string();
}

// Takes "NAME=FILE" apart and back together with an absolute file.
absl::Status AddLora(const std::string& text, LocalRequest& request) {
  const size_t equals = text.find('=');
  // Refused here, where the error can name the flag.
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lora: NAME=FILE is wanted: ", text));
  }
  const std::string name = text.substr(0, equals);
  const std::string file = AbsoluteUri(text.substr(equals + 1));
  std::error_code error;
  if (!fs::is_regular_file(file, error) || access(file.c_str(), R_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lora ", name, ": cannot read the file: ", file));
  }
  // Workers are given all LoRAs in one flag, separated by commas.
  if (file.find(',') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--lora ", name, ": the path may not hold a comma: ", file));
  }
  for (const std::string& known : request.header.known_loras()) {
    if (known == name) {
      return absl::InvalidArgumentError(
          absl::StrCat("--lora: the name is given twice: ", name));
    }
  }
  request.header.add_known_loras(name);
  request.loras.push_back(absl::StrCat(name, "=", file));
  return absl::OkStatus();
}

// Decides how many processes run, each with how many threads.
absl::Status SetProcesses(const Arguments& arguments, int cores,
                          LocalRequest& request) {
  ASSIGN_OR_RETURN(const auto workers,
                   arguments.Integer("workers", 1, kMostWorkers));
  ASSIGN_OR_RETURN(const auto threads,
                   arguments.Integer("threads", 1, kMostThreads));
  const int64_t stages = std::max(1, request.header.pipeline_stages());
  // Runs as many workers as there are stages where no number is given.
  request.workers =
      static_cast<int>(workers.value_or(std::max(kDefaultWorkers, stages)));
  if (stages > request.workers) {
    return absl::InvalidArgumentError(
        absl::StrCat("--pipeline-stages: more stages than --workers: ", stages,
                     ", there are ", request.workers));
  }
  request.threads =
      // All cores are used, none twice: oversubscribed loops of ops only slow
      // each other down.
      static_cast<int>(threads.value_or(std::max(1, cores / request.workers)));
  return absl::OkStatus();
}

}  // namespace

std::vector<FlagSpec> LocalFlags() {
  // Local flags come after those that every submit has.
  return WithJobFlags(
      {{"model", "DIR", "folder of the model (required)"},
       {"workers", "N", "worker processes; default 2"},
       {"threads", "N", "threads a worker; default cores / workers"},
       {"lora", "NAME=FILE", "gives the workers a LoRA; may be repeated"},
       {"keep-logs", "", "leave the logs of the processes behind"}});
}

absl::Status CheckOutputFolder(const std::string& folder) {
  std::error_code error;
  const fs::path path(folder);
  // The coordinator looks at buckets, with the credentials that it will use.
  if (storage::IsS3Uri(folder)) return absl::OkStatus();
  // The coordinator checks it too; here it costs nothing and comes before the
  // model is loaded.
  if (fs::exists(path / "manifest.jsonl", error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--out: the folder already holds a finished job: ", folder));
  }
  // What does not exist yet is made below the first folder that does.
  fs::path existing = path;
  while (!fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  if (!fs::is_directory(existing, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out: not a folder: ", existing.string()));
  }
  // Asked of the system: a folder may be on a file system mounted read-only.
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out: not writable: ", existing.string()));
  }
  return absl::OkStatus();
}

absl::StatusOr<LocalRequest> MakeLocalRequest(const Arguments& arguments,
                                              int cores) {
  // Before anything is made or started, so that a mistake has no effects.
  ASSIGN_OR_RETURN(PromptsFile prompts,
                   PromptsFile::Open(arguments.positional()));
  LocalRequest request{.prompts = std::move(prompts)};
  ASSIGN_OR_RETURN(request.header, MakeJobHeader(arguments));
  RETURN_IF_ERROR(SetProcesses(arguments, cores, request));
  ASSIGN_OR_RETURN(request.model_folder,
                   CheckModelFolder(arguments.Text("model", "")));
  // The folder's name is the name by which workers offer the model.
  request.header.set_model(fs::path(request.model_folder).filename().string());
  for (const std::string& text : arguments.Texts("lora")) {
    RETURN_IF_ERROR(AddLora(text, request));
  }
  request.out = request.header.output_uri();
  if (request.out.starts_with("file://")) request.out = request.out.substr(7);
  RETURN_IF_ERROR(CheckOutputFolder(request.out));
  request.out_before = LookAtOutput(request.out);
  request.keep_logs = arguments.Has("keep-logs");
  return request;
}

}  // namespace tessera::client

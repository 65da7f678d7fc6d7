#include "client/local_request.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/job_flags.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostWorkers = 64;
constexpr int64_t kMostThreads = 1024;
constexpr int64_t kDefaultWorkers = 2;
constexpr size_t kLongestModelName = 128;

bool IsModelName(const std::string& name) {
  return !name.empty() && name.size() <= kLongestModelName &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

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
        "'-' only: ",
        given));
  }
  return folder.string();
}

// Takes "NAME=FILE" apart and back together with an absolute file.
absl::Status AddLora(const std::string& text, LocalRequest& request) {
  const size_t equals = text.find('=');
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

absl::Status SetProcesses(const Arguments& arguments, int cores,
                          LocalRequest& request) {
  ASSIGN_OR_RETURN(const auto workers,
                   arguments.Integer("workers", 1, kMostWorkers));
  ASSIGN_OR_RETURN(const auto threads,
                   arguments.Integer("threads", 1, kMostThreads));
  ASSIGN_OR_RETURN(const auto stages,
                   arguments.Integer("pipeline-stages", 1, kMostWorkers));
  if (stages.value_or(1) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--pipeline-stages: this build runs the UNet whole, so only 1 is "
        "accepted: ",
        *stages));
  }
  request.workers = static_cast<int>(workers.value_or(kDefaultWorkers));
  request.threads =
      static_cast<int>(threads.value_or(std::max(1, cores / request.workers)));
  return absl::OkStatus();
}

}  // namespace

std::vector<FlagSpec> LocalFlags() {
  return WithJobFlags(
      {{"model", "DIR", "folder of the model (required)"},
       {"workers", "N", "worker processes; default 2"},
       {"threads", "N", "threads a worker; default cores / workers"},
       {"lora", "NAME=FILE", "gives the workers a LoRA; may be repeated"},
       {"pipeline-stages", "K", "parts the UNet is cut into; only 1"},
       {"keep-logs", "", "leave the logs of the processes behind"}});
}

absl::Status CheckOutputFolder(const std::string& folder) {
  std::error_code error;
  const fs::path path(folder);
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
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out: not writable: ", existing.string()));
  }
  return absl::OkStatus();
}

absl::StatusOr<LocalRequest> MakeLocalRequest(const Arguments& arguments,
                                              int cores) {
  ASSIGN_OR_RETURN(PromptsFile prompts,
                   PromptsFile::Open(arguments.positional()));
  LocalRequest request{.prompts = std::move(prompts)};
  ASSIGN_OR_RETURN(request.header, MakeJobHeader(arguments));
  RETURN_IF_ERROR(SetProcesses(arguments, cores, request));
  ASSIGN_OR_RETURN(request.model_folder,
                   CheckModelFolder(arguments.Text("model", "")));
  request.header.set_model(fs::path(request.model_folder).filename().string());
  for (const std::string& text : arguments.Texts("lora")) {
    RETURN_IF_ERROR(AddLora(text, request));
  }
  request.out = request.header.output_uri();
  if (request.out.starts_with("file://")) request.out = request.out.substr(7);
  RETURN_IF_ERROR(CheckOutputFolder(request.out));
  std::error_code error;
  request.out_existed = fs::exists(request.out, error);
  request.keep_logs = arguments.Has("keep-logs");
  return request;
}

}  // namespace tessera::client

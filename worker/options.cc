#include "worker/options.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tessera::worker {
namespace {

// Pictures together where the user names no number.
constexpr int kDefaultBatch = 4;
constexpr int kDefaultGpuBatch = 16;
// Refuses slips: latents and activations grow with the batch.
constexpr int kLargestBatch = 64;
// Repeats the bound of the CPU device, so that the flag is named.
constexpr int kMostThreads = 1024;

// Names the flag as users type it.
absl::Status BadFlag(const std::string& flag, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", reason));
}

}  // namespace

absl::Status Validate(const Options& options) {
  // Asks for a port only; the channel parses the rest.
  if (options.coordinator.find(':') == std::string::npos) {
    return BadFlag("coordinator", absl::StrCat("expected host:port, got \"",
                                               options.coordinator, "\""));
  }
  if (options.models.empty()) {
    return BadFlag("models", "name the folder that holds the models");
  }
  if (options.compute_dtype != "auto" && options.compute_dtype != "f16" &&
      options.compute_dtype != "bf16") {
    return BadFlag("compute-dtype",
                   absl::StrCat("expected auto, f16 or bf16, got \"",
                                options.compute_dtype, "\""));
  }
  if (options.threads < 0 || options.threads > kMostThreads) {
    return BadFlag("threads", absl::StrCat("expected 0 to ", kMostThreads,
                                           ", got ", options.threads));
  }
  if (options.batch < 0 || options.batch > kLargestBatch) {
    return BadFlag("batch", absl::StrCat("expected 0 to ", kLargestBatch,
                                         ", got ", options.batch));
  }
  if (options.lora_cache_bytes < 1) {
    return BadFlag("lora-cache-bytes", absl::StrCat("expected at least 1, got ",
                                                    options.lora_cache_bytes));
  }
  if (options.lora_memory_bytes < 1) {
    return BadFlag(
        "lora-memory-bytes",
        absl::StrCat("expected at least 1, got ", options.lora_memory_bytes));
  }
  return absl::OkStatus();
}

int ResolveBatch(int batch, bool gpu) {
  if (batch != 0) return batch;
  return gpu ? kDefaultGpuBatch : kDefaultBatch;
}

absl::StatusOr<std::map<std::string, std::string>> ParseLoraFiles(
    const std::string& text) {
  std::map<std::string, std::string> files;
  // Skips empty entries, so that a comma at the end does no harm.
  const std::vector<std::string> entries =
      absl::StrSplit(text, ',', absl::SkipEmpty());
  for (const std::string& entry : entries) {
    // Splits at the first "=", so that a path may hold others.
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0 ||
        equals + 1 == entry.size()) {
      return BadFlag("lora",
                     absl::StrCat("expected NAME=FILE, got \"", entry, "\""));
    }
    const std::string name = entry.substr(0, equals);
    // Refuses a second file for a name rather than guess which one is meant.
    if (!files.emplace(name, entry.substr(equals + 1)).second) {
      return BadFlag("lora", absl::StrCat("name given twice: ", name));
    }
  }
  return files;
}

absl::StatusOr<LogFormat> ParseLogFormat(const std::string& text) {
  if (text == "text") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return BadFlag("log-format",
                 absl::StrCat("expected text or json, got \"", text, "\""));
}

}  // namespace tessera::worker

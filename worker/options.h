// What a worker process is started with.
#ifndef TESSERA_WORKER_OPTIONS_H_
#define TESSERA_WORKER_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/log.h"

namespace tessera::worker {

// What the flags say, parsed; 0 and "" stand for defaults as noted.
struct Options {
  std::string coordinator;             // host:port
  std::string models;                  // folder whose subfolders are models
  std::string device = "auto";         // auto, cpu or cuda:N
  std::string compute_dtype = "auto";  // auto, f16 or bf16
  int threads = 0;                     // of the CPU device; 0: one a core
  int batch = 0;           // pictures in the UNet together; 0: chosen
  std::string lora_cache;  // the node's cache folder; empty: none
  // Of LoRA files in that folder, which all workers of the node share.
  int64_t lora_cache_bytes = int64_t{32} << 30;
  // Of LoRAs that this worker has parsed: f32, twice the size of f16 files.
  int64_t lora_memory_bytes = int64_t{2} << 30;
  std::map<std::string, std::string> loras;  // file by name
  std::string pipeline_host;   // by which workers reach it; empty: its name
  bool preload = true;         // load a single model at the start
  std::string metrics_listen;  // host:port; empty: no metrics
  LogFormat log_format = LogFormat::kText;
};

// Checks every field that can be checked without opening anything.
// INVALID_ARGUMENT names the flag.
absl::Status Validate(const Options& options);

// Returns `batch`, or what 0 stands for: on a CPU a step costs about the same
// time a picture from four on; a GPU is busy from sixteen on, and takes fewer
// where its memory does not suffice.
int ResolveBatch(int batch, bool gpu);

// Parses "ink=/loras/ink.safetensors,pixel=…". INVALID_ARGUMENT for an entry
// without name or file and for a name given twice.
absl::StatusOr<std::map<std::string, std::string>> ParseLoraFiles(
    const std::string& text);

// Parses "text" or "json".
absl::StatusOr<LogFormat> ParseLogFormat(const std::string& text);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_OPTIONS_H_

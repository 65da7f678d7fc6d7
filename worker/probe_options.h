// What tessera-probe was asked to do.
#ifndef TESSERA_WORKER_PROBE_OPTIONS_H_
#define TESSERA_WORKER_PROBE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tessera::worker {

// One `--lora FILE:SCALE`.
struct ProbeLora {
  std::string file;
  // Finite; 1 is full strength.
  float scale = 1.0f;
};

// The flags of tessera-probe; 0 and "" mean the model's own.
struct ProbeOptions {
  bool help = false;
  bool check = false;  // load everything, make nothing
  int plan = 0;        // stages to plan for; 0: plan nothing
  std::string model;   // model folder
  std::string dump;    // folder of the arrays and the picture
  std::string prompt;  // UTF-8
  std::string negative_prompt;
  std::string sampler;
  std::string init_latents;  // .npy of [C, h, w] f32
  uint64_t seed = 0;
  // Ranges are checked with the model at hand, not here.
  int steps = 50;
  float guidance = 7.5f;
  int width = 0;               // pixels
  int height = 0;              // pixels
  std::string device = "cpu";  // cpu, cuda:N or auto
  int threads = 0;             // of the CPU; 0: one a core
  std::vector<ProbeLora> loras;
};

// Reads `--name value` and `--name=value` arguments (without the program's
// name). INVALID_ARGUMENT names an unknown flag, a missing value or a value
// that does not read as a number.
absl::StatusOr<ProbeOptions> ParseProbeOptions(
    const std::vector<std::string>& arguments);

// Returns what `--help` prints.
std::string_view ProbeHelp();

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PROBE_OPTIONS_H_

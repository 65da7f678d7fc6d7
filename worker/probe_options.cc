#include "worker/probe_options.h"

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::worker {
namespace {

// The most that a pipeline has.
constexpr int kMostStages = 8;

// Parses one flag's value into the options; fails naming the flag.
using Setter = std::function<absl::Status(const std::string& value)>;

// Returns the error of a value that does not read.
absl::Status Bad(const std::string& flag, const std::string& value) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad value of --", flag, ": ", value));
}

// Takes any text.
Setter Text(std::string& to) {
  return [&to](const std::string& value) {
    to = value;
    return absl::OkStatus();
  };
}

// Takes a whole number that fits T.
template <typename T>
Setter Integer(const std::string& flag, T& to) {
  return [flag, &to](const std::string& value) {
    return absl::SimpleAtoi(value, &to) ? absl::OkStatus() : Bad(flag, value);
  };
}

// Takes a finite number: ranges are the engine's to check.
Setter Real(const std::string& flag, float& to) {
  return [flag, &to](const std::string& value) {
    return absl::SimpleAtof(value, &to) && std::isfinite(to) ? absl::OkStatus()
                                                             : Bad(flag, value);
  };
}

// Splits at the last colon, so that a path may hold others.
Setter Lora(std::vector<ProbeLora>& to) {
  return [&to](const std::string& value) {
    const size_t colon = value.rfind(':');
    // Stays at full strength where no scale is given.
    ProbeLora lora{value.substr(0, colon)};
    if (colon != std::string::npos &&
        (!absl::SimpleAtof(value.substr(colon + 1), &lora.scale) ||
         !std::isfinite(lora.scale))) {
      return Bad("lora", value);
    }
    if (lora.file.empty()) return Bad("lora", value);
    to.push_back(std::move(lora));
    return absl::OkStatus();
  };
}

// Maps flags with a value to what parses it; setters point into `options`,
// which must outlive the map.
std::map<std::string, Setter> Setters(ProbeOptions& options) {
  return {
      {"model", Text(options.model)},
      {"dump", Text(options.dump)},
      {"prompt", Text(options.prompt)},
      {"negative-prompt", Text(options.negative_prompt)},
      {"sampler", Text(options.sampler)},
      {"init-latents", Text(options.init_latents)},
      {"seed", Integer("seed", options.seed)},
      {"steps", Integer("steps", options.steps)},
      {"guidance", Real("guidance", options.guidance)},
      {"width", Integer("width", options.width)},
      {"height", Integer("height", options.height)},
      {"device", Text(options.device)},
      {"threads", Integer("threads", options.threads)},
      {"lora", Lora(options.loras)},
      {"plan", Integer("plan", options.plan)},
  };
}

// Checks what no flag shows alone; help needs nothing else.
absl::Status CheckWhole(const ProbeOptions& options) {
  if (options.help) return absl::OkStatus();
  if (options.model.empty()) {
    return absl::InvalidArgumentError("--model is required");
  }
  if (options.plan != 0) {
    if (options.plan >= 1 && options.plan <= kMostStages) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "--plan: stages must be 1 to ", kMostStages, ": ", options.plan));
  }
  if (!options.check && options.dump.empty()) {
    return absl::InvalidArgumentError("--dump, --check or --plan is required");
  }
  if (options.threads < 0) {
    return Bad("threads", absl::StrCat(options.threads));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProbeOptions> ParseProbeOptions(
    const std::vector<std::string>& arguments) {
  ProbeOptions options;
  const std::map<std::string, Setter> setters = Setters(options);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    // Handles the two flags that take no value first.
    if (argument == "--help" || argument == "-h") {
      options.help = true;
      continue;
    }
    if (argument == "--check") {
      options.check = true;
      continue;
    }
    const size_t equals = argument.find('=');
    // Asks for two dashes; the name ends at "=" or with the argument.
    const auto setter = argument.rfind("--", 0) == 0
                            ? setters.find(argument.substr(2, equals - 2))
                            : setters.end();
    if (setter == setters.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown argument: ", argument));
    }
    if (equals == std::string::npos && i + 1 == arguments.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("no value given: ", argument));
    }
    // Takes the next argument where there is no "=".
    RETURN_IF_ERROR(setter->second(equals == std::string::npos
                                       ? arguments[++i]
                                       : argument.substr(equals + 1)));
  }
  // Comes last, for flags may be given in any order.
  RETURN_IF_ERROR(CheckWhole(options));
  return options;
}

std::string_view ProbeHelp() {
  return R"(tessera-probe: runs one picture in this process and writes what the engine computed.

usage: tessera-probe --model DIR --prompt TEXT --dump DIR [flags]
       tessera-probe --model DIR --check
       tessera-probe --model DIR --plan K

  --model DIR            model folder in the layout of diffusers
  --check                load every file of the model and exit
  --plan K               print how the UNet would be cut for K stages, 1 to 8,
                         and what its pieces cost
  --dump DIR             folder to write (made if absent): token_ids.npy,
                         text_embeddings.npy [T, C], unet_step_000.npy ...
                         (after guidance) and latents.npy [h, w, C], image.png
  --prompt TEXT          what to draw
  --negative-prompt TEXT what to steer away from
  --seed N               noise seed, 0 to 2^64-1; default 0
  --steps N              num_inference_steps, 1 to 1000; default 50
  --guidance X           guidance_scale, 0 to 100; default 7.5
  --sampler NAME         ddim or euler; default the model's own
  --width N, --height N  pixels; default the model's own
  --init-latents FILE    .npy of unit normal noise [C, h, w] instead of the seed
  --lora FILE:SCALE      adapter and its strength; may be repeated
  --device NAME          cpu, cuda:N or auto; default cpu
  --threads N            threads of the CPU; default one a core

Exit codes: 0 done, 2 bad usage, model, adapter or input.
)";
}

}  // namespace tessera::worker

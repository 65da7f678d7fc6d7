#include "client/job_flags.h"

#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/ids.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// The ranges of tessera/v1/job.proto.
constexpr int64_t kMostSteps = 1000;
constexpr double kMostGuidance = 100;
constexpr int64_t kMostShardSize = 65536;
constexpr int64_t kMostStages = 8;
constexpr int kSmallestSide = 64;
constexpr int kLargestSide = 4096;
constexpr int kSideMultiple = 8;

// Reads one side of a size, in pixels; false for anything the service would
// refuse.
bool ParseSide(std::string_view text, int* side) {
  return absl::SimpleAtoi(std::string(text), side) && *side >= kSmallestSide &&
         *side <= kLargestSide && *side % kSideMultiple == 0;
}

// Reads WIDTHxHEIGHT into both fields.
absl::Status SetSize(const std::string& text, v1::GenerationDefaults* into) {
  const size_t cross = text.find('x');
  int width = 0;
  int height = 0;
  if (cross == std::string::npos ||
      !ParseSide(std::string_view(text).substr(0, cross), &width) ||
      !ParseSide(std::string_view(text).substr(cross + 1), &height)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--size: WIDTHxHEIGHT is wanted, each a multiple of ", kSideMultiple,
        " from ", kSmallestSide, " to ", kLargestSide, ": ", text));
  }
  into->set_width(width);
  into->set_height(height);
  return absl::OkStatus();
}

// Sets what was given and nothing else: a field left out means the service's
// own default, which may change with it.
absl::Status SetDefaults(const Arguments& arguments,
                         v1::GenerationDefaults* defaults) {
  ASSIGN_OR_RETURN(const auto steps, arguments.Integer("steps", 1, kMostSteps));
  if (steps.has_value()) {
    defaults->set_num_inference_steps(static_cast<int32_t>(*steps));
  }
  ASSIGN_OR_RETURN(const auto guidance,
                   arguments.Real("guidance", 0, kMostGuidance));
  if (guidance.has_value()) {
    defaults->set_guidance_scale(static_cast<float>(*guidance));
  }
  if (arguments.Has("size")) {
    RETURN_IF_ERROR(SetSize(arguments.Text("size", ""), defaults));
  }
  // Checked by the service, whose samplers may be newer than this client's.
  defaults->set_sampler(arguments.Text("sampler", ""));
  defaults->set_negative_prompt(arguments.Text("negative-prompt", ""));
  return absl::OkStatus();
}

}  // namespace

std::vector<FlagSpec> WithJobFlags(std::vector<FlagSpec> more) {
  std::vector<FlagSpec> flags = {
      {"out", "DIR",
       "folder or s3://bucket/prefix for the pictures (required)"},
      {"steps", "N", "steps of lines that name none; default 50"},
      {"guidance", "X", "guidance scale of lines that name none; default 7.5"},
      {"size", "WxH", "size of lines that name none; default the model's own"},
      {"sampler", "NAME", "sampler of lines that name none: ddim, euler"},
      {"negative-prompt", "TEXT", "for lines that have none"},
      {"seed", "N", "what the seeds of lines without one derive from"},
      {"shard-size", "N", "pictures a shard; default 64"},
      {"max-failed", "N", "give the job up once more pictures than this fail"},
      {"pipeline-stages", "K",
       "workers that run the UNet together, a part each; default 1"},
      {"allow-unmatched", "", "apply LoRAs without keys that fit no layer"},
  };
  for (FlagSpec& flag : more) flags.push_back(flag);
  return flags;
}

absl::StatusOr<v1::JobHeader> MakeJobHeader(const Arguments& arguments) {
  v1::JobHeader header;
  const std::string out = arguments.Text("out", "");
  if (out.empty()) {
    return absl::InvalidArgumentError("--out: a folder is wanted");
  }
  header.set_output_uri(AbsoluteUri(out));
  // New for each command and the same for all its retries: that is what makes a
  // repeated submit find the first job.
  header.set_request_id(MakeUniqueId("req"));
  RETURN_IF_ERROR(SetDefaults(arguments, header.mutable_defaults()));
  ASSIGN_OR_RETURN(const auto seed, arguments.Seed("seed"));
  header.set_seed(seed.value_or(0));
  ASSIGN_OR_RETURN(const auto shard_size,
                   arguments.Integer("shard-size", 1, kMostShardSize));
  // 0 asks for the service's default.
  header.set_shard_size(static_cast<int32_t>(shard_size.value_or(0)));
  ASSIGN_OR_RETURN(const auto max_failed,
                   arguments.Integer("max-failed", 0, INT64_MAX));
  if (max_failed.has_value()) header.set_max_failed_images(*max_failed);
  ASSIGN_OR_RETURN(const auto stages,
                   arguments.Integer("pipeline-stages", 1, kMostStages));
  header.set_pipeline_stages(static_cast<int32_t>(stages.value_or(0)));
  header.set_allow_unmatched_loras(arguments.Has("allow-unmatched"));
  return header;
}

absl::StatusOr<v1::LoraReference> ParseLora(const std::string& text) {
  v1::LoraReference lora;
  // From the end, as a scale holds no colon.
  const size_t colon = text.rfind(':');
  lora.set_name(text.substr(0, colon));
  lora.set_scale(1);
  float scale = 0;
  if (colon != std::string::npos) {
    // SimpleAtof accepts "inf" and "nan", which are no scales.
    if (!absl::SimpleAtof(text.substr(colon + 1), &scale) ||
        !std::isfinite(scale)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--lora: NAME or NAME:SCALE is wanted: ", text));
    }
    lora.set_scale(scale);
  }
  if (lora.name().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lora: a name is wanted: ", text));
  }
  return lora;
}

std::string AbsoluteUri(const std::string& uri) {
  // Left alone: what a URI means is for the service to say.
  if (uri.find("://") != std::string::npos) return uri;
  // Made absolute here, because the service has another current folder.
  std::string path = std::filesystem::absolute(uri).lexically_normal().string();
  // The service compares folders as text.
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace tessera::client

#include "coordinator/service/codec.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/field_rules.h"
#include "google/protobuf/util/json_util.h"

namespace tessera::coordinator {
namespace {

// Pictures a shard when the client does not say: few enough that a lost worker
// costs little, enough that leases and commits do not count.
constexpr int kDefaultShardSize = 64;
// Keeps the bitmap and the list of finished tasks of one shard small.
constexpr int kMaxShardSize = 65536;
// Stages of a pipeline, the most that the planner plans for.
constexpr int kMaxStages = 8;
// Room for a UUID with a prefix; every answer repeats it.
constexpr size_t kMaxRequestId = 64;
// PATH_MAX of Linux.
constexpr size_t kMaxOutputUri = 4096;
// Bounds the answer's size; a client that wants more turns the page.
constexpr int64_t kMaxPageSize = 1000;

// Returns INVALID_ARGUMENT in the form that all fields share, so that users
// find the field at the start of the line.
absl::Status Bad(std::string_view field, std::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": ", std::string(reason)));
}

// Puts the field's name before an error of field_rules.h, which the lines of a
// prompts file use as well.
absl::Status InField(std::string_view field, const absl::Status& status) {
  if (status.ok()) return status;
  return Bad(field, std::string(status.message()));
}

// Applies `check` to an optional value and stores the result in `target`.
template <typename Value, typename Check, typename Target>
absl::Status Override(bool present, Value value, std::string_view field,
                      Check check, Target& target) {
  if (!present) return absl::OkStatus();
  auto checked = check(value);
  if (!checked.ok()) return InField(field, checked.status());
  target = *checked;
  return absl::OkStatus();
}

// Checks the LoRAs that every line gets unless it names its own.
absl::StatusOr<std::vector<LoraUse>> DecodeLoras(
    const v1::GenerationDefaults& proto, const PromptLineOptions& options) {
  std::vector<LoraUse> loras;
  for (const v1::LoraReference& lora : proto.loras()) {
    const auto scale = CheckLoraScale(lora.scale());
    RETURN_IF_ERROR(InField("defaults.loras", scale.status()));
    LoraUse use{.name = lora.name(), .scale = *scale};
    const absl::Status resolved = ResolveLora(options, use);
    if (absl::IsInvalidArgument(resolved)) {
      return InField("defaults.loras", resolved);
    }
    RETURN_IF_ERROR(resolved);  // the registry's own trouble
    loras.push_back(std::move(use));
  }
  if (loras.size() > kMaxLoras) {
    return Bad("defaults.loras", absl::StrCat("at most ", kMaxLoras));
  }
  return loras;
}

// Fills in what a header leaves out with the values of GenerationDefaults; a
// field that is present is checked even when it equals the default.
absl::StatusOr<GenerationDefaults> DecodeDefaults(
    const v1::GenerationDefaults& proto, const PromptLineOptions& options) {
  GenerationDefaults defaults;
  RETURN_IF_ERROR(Override(proto.has_num_inference_steps(),
                           proto.num_inference_steps(),
                           "defaults.num_inference_steps", CheckSteps,
                           defaults.num_inference_steps));
  RETURN_IF_ERROR(Override(proto.has_guidance_scale(), proto.guidance_scale(),
                           "defaults.guidance_scale", CheckGuidance,
                           defaults.guidance_scale));
  RETURN_IF_ERROR(Override(proto.has_width(), proto.width(), "defaults.width",
                           CheckSize, defaults.width));
  RETURN_IF_ERROR(Override(proto.has_height(), proto.height(),
                           "defaults.height", CheckSize, defaults.height));
  // Absent and empty mean the same here: the model's own sampler.
  RETURN_IF_ERROR(Override(true, std::string_view(proto.sampler()),
                           "defaults.sampler", CheckSampler, defaults.sampler));
  RETURN_IF_ERROR(InField("defaults.negative_prompt",
                          CheckPromptText(proto.negative_prompt())));
  defaults.negative_prompt = proto.negative_prompt();
  ASSIGN_OR_RETURN(defaults.loras, DecodeLoras(proto, options));
  return defaults;
}

// Keeps request ids fit for logs and answers.
absl::Status CheckRequestId(const std::string& id) {
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  if (id.size() <= kMaxRequestId && printable) return absl::OkStatus();
  return Bad("request_id",
             absl::StrCat("must be at most ", kMaxRequestId,
                          " printable characters, got ", Quoted(id)));
}

// Decodes what the core needs to know; prompts and their defaults are checked
// by DecodeJobHeader.
absl::StatusOr<JobHeader> DecodeJob(const v1::JobHeader& proto) {
  JobHeader job;
  RETURN_IF_ERROR(InField("model", CheckName(proto.model())));
  if (proto.output_uri().empty() || proto.output_uri().size() > kMaxOutputUri) {
    return Bad("output_uri",
               absl::StrCat("must be 1 to ", kMaxOutputUri, " bytes, got ",
                            proto.output_uri().size()));
  }
  // 0 is proto3's "absent" and means the default, so it is not refused.
  if (proto.shard_size() < 0 || proto.shard_size() > kMaxShardSize) {
    return Bad("shard_size", absl::StrCat("must be from 1 to ", kMaxShardSize,
                                          ", got ", proto.shard_size()));
  }
  RETURN_IF_ERROR(CheckRequestId(proto.request_id()));
  job.model = proto.model();
  job.output_uri = proto.output_uri();
  job.shard_size =
      proto.shard_size() == 0 ? kDefaultShardSize : proto.shard_size();
  job.request_id = proto.request_id();
  job.seed = proto.seed();
  job.allow_unmatched_loras = proto.allow_unmatched_loras();
  if (proto.pipeline_stages() < 0 || proto.pipeline_stages() > kMaxStages) {
    return Bad("pipeline_stages",
               absl::StrCat("must be from 1 to ", kMaxStages, ", got ",
                            proto.pipeline_stages()));
  }
  job.pipeline_stages = std::max(1, proto.pipeline_stages());
  if (proto.has_max_failed_images()) {
    if (proto.max_failed_images() < 0) {
      return Bad("max_failed_images", absl::StrCat("must not be negative, got ",
                                                   proto.max_failed_images()));
    }
    job.max_failed_images = proto.max_failed_images();
  }
  google::protobuf::util::JsonPrintOptions print;
  // Field names as in the API's definition, so that job.json can be read beside
  // it.
  print.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(proto, &job.request_json,
                                                   print)
           .ok()) {
    return absl::InvalidArgumentError("header cannot be written as JSON");
  }
  return job;
}

// Writes UTC with nanoseconds from 0 on, also for times before 1970, as
// Timestamp demands; ToUnixSeconds rounds down.
void EncodeTime(absl::Time time, google::protobuf::Timestamp& proto) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

// Translates by name, not by number: stores keep our numbers, clients the
// API's, and either may grow on its own.
v1::JobState EncodeState(JobState state) {
  switch (state) {
    case JobState::kCreating:
      return v1::JOB_STATE_CREATING;
    case JobState::kQueued:
      return v1::JOB_STATE_QUEUED;
    case JobState::kRunning:
      return v1::JOB_STATE_RUNNING;
    case JobState::kSealing:
      return v1::JOB_STATE_SEALING;
    case JobState::kSucceeded:
      return v1::JOB_STATE_SUCCEEDED;
    case JobState::kFailed:
      return v1::JOB_STATE_FAILED;
    case JobState::kCancelled:
      return v1::JOB_STATE_CANCELLED;
  }
  // Unreachable while the switch is complete, which the compiler checks.
  return v1::JOB_STATE_UNSPECIFIED;
}

// Translates by name, as for jobs.
v1::WorkerState EncodeState(WorkerState state) {
  switch (state) {
    case WorkerState::kIdle:
      return v1::WORKER_STATE_IDLE;
    case WorkerState::kExecuting:
      return v1::WORKER_STATE_EXECUTING;
    case WorkerState::kDraining:
      return v1::WORKER_STATE_DRAINING;
    case WorkerState::kLost:
      return v1::WORKER_STATE_LOST;
  }
  return v1::WORKER_STATE_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<SubmitHeader> DecodeJobHeader(const v1::JobHeader& header,
                                             LoraResolver* registry) {
  SubmitHeader decoded;
  decoded.lines.registry = registry;
  ASSIGN_OR_RETURN(decoded.job, DecodeJob(header));
  // Names first: the defaults may only use what is listed.
  for (const std::string& name : header.known_loras()) {
    RETURN_IF_ERROR(InField("known_loras", CheckName(name)));
    decoded.lines.known_loras.insert(name);
  }
  ASSIGN_OR_RETURN(decoded.lines.defaults,
                   DecodeDefaults(header.defaults(), decoded.lines));
  return decoded;
}

absl::StatusOr<JobId> DecodeJobId(const std::string& job_id) {
  // Any other text may be an id; unknown ones are NOT_FOUND, not malformed.
  if (job_id.empty()) return Bad("job_id", "is missing");
  return JobId(job_id);
}

absl::StatusOr<int64_t> DecodePageSize(int32_t page_size, int64_t fallback) {
  if (page_size < 0) {
    return Bad("page_size",
               absl::StrCat("must not be negative, got ", page_size));
  }
  return page_size == 0 ? fallback : std::min<int64_t>(page_size, kMaxPageSize);
}

absl::StatusOr<int64_t> DecodePageToken(const std::string& token) {
  // The first page.
  if (token.empty()) return 0;
  int64_t position = 0;
  // Encoding it again refuses "+7" or "07", so that a token has one form and
  // nobody starts to build them.
  if (!absl::SimpleAtoi(token, &position) || position <= 0 ||
      EncodePageToken(position) != token) {
    return Bad("page_token",
               absl::StrCat("not one of this service: ", Quoted(token)));
  }
  return position;
}

std::string EncodePageToken(int64_t position) {
  return position == 0 ? std::string() : absl::StrCat(position);
}

v1::Job EncodeJob(const Job& job) {
  v1::Job proto;
  proto.set_job_id(job.id.value());
  proto.set_state(EncodeState(job.state));
  proto.set_model(job.header.model);
  proto.set_output_uri(job.header.output_uri);
  v1::ImageCounts& images = *proto.mutable_images();
  images.set_total(job.images.total);
  // Sent although it follows from the others, so that no client computes it
  // differently.
  images.set_waiting(job.images.waiting());
  images.set_done(job.images.done);
  images.set_failed(job.images.failed);
  images.set_cancelled(job.images.cancelled);
  proto.set_lines(job.lines);
  proto.set_shards(job.shards);
  proto.set_shards_finished(job.shards_finished);
  proto.set_retries(job.retries);
  // A job always has a create_time; the others are left out until they happen.
  EncodeTime(job.create_time, *proto.mutable_create_time());
  if (job.start_time != absl::InfinitePast()) {
    EncodeTime(job.start_time, *proto.mutable_start_time());
  }
  if (job.end_time != absl::InfinitePast()) {
    EncodeTime(job.end_time, *proto.mutable_end_time());
  }
  proto.set_message(job.message);
  proto.set_images_per_second(job.images_per_second);
  proto.set_request_id(job.header.request_id);
  for (const std::string& warning : job.warnings) proto.add_warnings(warning);
  return proto;
}

v1::Image EncodeImage(const ImageRecord& image) {
  v1::Image proto;
  proto.set_custom_id(image.custom_id);
  proto.set_index(image.index);
  proto.set_seed(image.seed);
  proto.set_path(image.path);
  proto.set_sha256(image.sha256);
  proto.set_width(image.width);
  proto.set_height(image.height);
  proto.set_worker(image.worker);
  proto.set_seconds(image.seconds);
  return proto;
}

v1::Worker EncodeWorker(const Worker& worker) {
  v1::Worker proto;
  proto.set_worker_id(worker.id.value());
  proto.set_state(EncodeState(worker.state));
  proto.set_host(worker.info.host);
  proto.set_device(worker.info.device);
  proto.set_threads(worker.info.threads);
  proto.set_version(worker.info.version);
  for (const std::string& model : worker.info.models) proto.add_models(model);
  // The lease may have ended since: this is what the worker said last.
  if (worker.executing.has_value()) {
    proto.set_job_id(worker.executing->job.value());
    proto.set_shard_index(worker.executing->index);
  }
  proto.set_images_done(worker.images_done);
  proto.set_group_id(worker.group);
  proto.set_group_rank(worker.group_rank);
  EncodeTime(worker.last_synchronize, *proto.mutable_last_synchronize_time());
  return proto;
}

}  // namespace tessera::coordinator

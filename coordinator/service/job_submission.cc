#include "coordinator/service/job_submission.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "coordinator/seeds.h"
#include "coordinator/service/shard_codec.h"

namespace tessera::coordinator {
namespace {

// Shards and bytes that share one transaction: large enough that its fsync
// does not matter, small enough that other calls do not wait for it.
constexpr size_t kMaxDrafts = 64;
constexpr size_t kMaxDraftBytes = 4 << 20;
// Pictures of one submit that wait for their shards to fill.
constexpr size_t kMaxOpenBytes = 64 << 20;

// Gives each submission a bound of its own for what waits in memory: with
// kMaxSubmissions at once, 1 GiB in all (I10).
SharderOptions MakeSharderOptions(int shard_size) {
  SharderOptions options;
  options.shard_size = shard_size;
  options.max_open_bytes = kMaxOpenBytes;
  return options;
}

// Leaves the memory for ids at its default.
PromptFileOptions MakeFileOptions(PromptLineOptions lines) {
  PromptFileOptions options;
  options.line = std::move(lines);
  return options;
}

// Makes one picture of a line, with a seed that depends on nothing but the
// job's seed, the line and the index (I4).
ImageTask MakeTask(const PromptLine& line, int index, uint64_t job_seed) {
  return {.line = line.line,
          .custom_id = line.custom_id,
          .index = index,
          .prompt = line.prompt,
          .negative_prompt = line.negative_prompt,
          .seed = PictureSeed(line.seed, job_seed, line.custom_id, index),
          .num_inference_steps = line.num_inference_steps,
          .guidance_scale = line.guidance_scale,
          .width = line.width,
          .height = line.height,
          .sampler = line.sampler,
          .loras = line.loras};
}

// Returns the digest that a name means now.
absl::StatusOr<std::string> FindDigest(Coordinator& coordinator,
                                       const LoraName& name) {
  ASSIGN_OR_RETURN(LoraEntry entry, coordinator.GetLora(name));
  return std::move(entry.lora.sha256);
}

// Returns the digests that a picture needs, and with it all others of its
// shard: the sharder never mixes sets. What no registry holds has no digest.
LoraSet LorasOf(const ImageTask& task) {
  LoraSet loras;
  for (const LoraUse& use : task.loras) {
    if (!use.sha256.empty()) loras.push_back(use.sha256);
  }
  std::sort(loras.begin(), loras.end());
  loras.erase(std::unique(loras.begin(), loras.end()), loras.end());
  return loras;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobSubmission>> JobSubmission::Begin(
    Coordinator& coordinator, const v1::JobHeader& proto) {
  auto loras =
      std::make_unique<LoraResolver>([&coordinator](const LoraName& name) {
        return FindDigest(coordinator, name);
      });
  ASSIGN_OR_RETURN(SubmitHeader header, DecodeJobHeader(proto, loras.get()));
  // Also finds an earlier job of the same request; then nothing was created.
  ASSIGN_OR_RETURN(BegunJob job, coordinator.BeginJob(header.job));
  return std::unique_ptr<JobSubmission>(new JobSubmission(
      coordinator, std::move(loras), std::move(job), std::move(header)));
}

JobSubmission::JobSubmission(Coordinator& coordinator,
                             std::unique_ptr<LoraResolver> loras, BegunJob job,
                             SubmitHeader header)
    : coordinator_(coordinator),
      loras_(std::move(loras)),
      job_(job.id),
      seed_(header.job.seed),
      existing_(std::move(job.existing)),
      sharder_(MakeSharderOptions(header.job.shard_size)),
      // The callback is called only inside of Add and Finish, on their thread.
      file_(MakeFileOptions(std::move(header.lines)),
            [this](PromptLine line) { return TakeLine(std::move(line)); }) {}

JobSubmission::~JobSubmission() {
  // An existing job is not ours to remove.
  if (finished_ || existing_.has_value()) return;
  // A failed submit leaves nothing behind. If even this fails, the job in
  // CREATING is invisible to workers and removed at the next start.
  const absl::Status status = coordinator_.AbortJob(job_);
  if (!status.ok()) {
    Log(Severity::kWarning, "job of a failed submit stays until restart",
        {{"job", job_.value()}, {"error", status}});
  }
}

absl::Status JobSubmission::Add(std::string_view bytes) {
  return file_.Add(bytes);
}

absl::Status JobSubmission::EndFile() {
  // Some duplicate ids are only known once the file ends, so this comes first:
  // shards that were stored before are dropped with the job.
  RETURN_IF_ERROR(file_.Finish());
  RETURN_IF_ERROR(Store(sharder_.Finish()));
  RETURN_IF_ERROR(Flush());
  // At the end, when all names are known; a LoRA that was deleted since its
  // name was looked up is found here.
  const std::vector<LoraPin> pins = loras_->pins();
  return pins.empty() ? absl::OkStatus() : coordinator_.PinLoras(job_, pins);
}

absl::StatusOr<Job> JobSubmission::Finish() {
  ASSIGN_OR_RETURN(Job job, coordinator_.FinishJob(job_, file_.lines()));
  // Set after the store took the job: until then the destructor removes it.
  finished_ = true;
  return job;
}

// Cuts an accepted line into its pictures. Pictures of one line may end in
// different shards; the manifest brings them together again.
absl::Status JobSubmission::TakeLine(PromptLine line) {
  for (int index = 0; index < line.num_images_per_prompt; ++index) {
    RETURN_IF_ERROR(Store(sharder_.Add(MakeTask(line, index, seed_))));
  }
  return absl::OkStatus();
}

// Collects filled shards until a transaction is worth its fsync.
absl::Status JobSubmission::Store(std::vector<ShardTasks> shards) {
  for (const ShardTasks& shard : shards) {
    drafts_.push_back({.first_line = shard[0].line,
                       // The sharder never returns an empty shard.
                       .pictures = static_cast<int32_t>(shard.size()),
                       .loras = LorasOf(shard[0]),
                       .payload = EncodeShard(shard)});
    draft_bytes_ += drafts_.back().payload.size();
    if (drafts_.size() >= kMaxDrafts || draft_bytes_ >= kMaxDraftBytes) {
      RETURN_IF_ERROR(Flush());
    }
  }
  return absl::OkStatus();
}

// Stores what was collected. After an error the drafts are gone: the submit has
// failed, and the job with it.
absl::Status JobSubmission::Flush() {
  if (drafts_.empty()) return absl::OkStatus();
  draft_bytes_ = 0;
  return coordinator_.AddShards(job_, std::exchange(drafts_, {}));
}

}  // namespace tessera::coordinator

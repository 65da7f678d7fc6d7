#include "worker/image_files.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/log.h"
#include "common/output_layout.h"
#include "common/status_macros.h"
#include "worker/image_path.h"
#include "worker/png.h"

namespace tessera::worker {
namespace {

// Tries of a full disk; with waits of 1, 2, 4 and 8 s in between the last comes
// after 15 s. The session synchronizes meanwhile, so no lease is lost.
constexpr int kTriesOfFullDisk = 5;
// What is waited in all for an output that is away: longer than a restart of a
// storage service, shorter than a night.
constexpr absl::Duration kPatience = absl::Minutes(30);
constexpr absl::Duration kFirstWait = absl::Seconds(1);
constexpr absl::Duration kLongestWait = absl::Seconds(30);

// Measures from its construction; for metrics only.
class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         start_)
        .count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
};

// Says whether a write that failed is tried again.
bool IsWorthAnother(const absl::Status& status, int attempts,
                    absl::Duration waited) {
  if (absl::IsResourceExhausted(status)) return attempts < kTriesOfFullDisk;
  return absl::IsUnavailable(status) && waited < kPatience;
}

}  // namespace

absl::Status RetryOutput(ExecutionControl& control,
                         const std::function<absl::Status()>& attempt) {
  absl::Duration wait = kFirstWait;
  absl::Duration waited;
  for (int attempts = 1;; ++attempts) {
    // Other errors do not pass by waiting.
    absl::Status status = attempt();
    if (!IsWorthAnother(status, attempts, waited)) return status;
    Log(Severity::kWarning, "output does not take a picture, waiting",
        {{"status", status}, {"wait", wait}});
    // Gives up at once when stopped: the lease is lost.
    if (!control.WaitUnlessStopped(wait)) return status;
    waited += wait;
    wait = std::min(wait * 2, kLongestWait);
  }
}

absl::StatusOr<std::unique_ptr<ImageFiles>> ImageFiles::Create(
    const Assignment& assignment, const std::string& worker,
    const ModelFacts& model, const storage::OutputPlaces& places,
    ExecutionControl& control) {
  ASSIGN_OR_RETURN(std::unique_ptr<storage::OutputStore> output,
                   places.Open(assignment.output_uri, worker));
  // Retries this too: folders need space as files do.
  RETURN_IF_ERROR(RetryOutput(control, [&] {
    return output->Prepare(ShardFolder(assignment.lease.shard_index));
  }));
  return std::unique_ptr<ImageFiles>(
      new ImageFiles(assignment, worker, model, control, std::move(output)));
}

ImageFiles::ImageFiles(const Assignment& assignment, std::string worker,
                       const ModelFacts& model, ExecutionControl& control,
                       std::unique_ptr<storage::OutputStore> output)
    : assignment_(assignment),
      worker_(std::move(worker)),
      model_(model),
      control_(control),
      output_(std::move(output)) {}

absl::StatusOr<WrittenImage> ImageFiles::Write(int task,
                                               const model::Image& image) {
  const ImageTask& item = assignment_.tasks[task];
  WrittenImage written;
  // Comes first: a name that is no file name costs no encoding.
  ASSIGN_OR_RETURN(written.image.path, ImagePath(assignment_.lease.shard_index,
                                                 item.custom_id, item.index));
  const Stopwatch encode;
  // Puts the parameters into the file itself, so that a picture tells how it
  // was made wherever it goes.
  ASSIGN_OR_RETURN(
      const std::string bytes,
      EncodePng(image, {{"parameters", GenerationParameters(item, model_)}}));
  written.seconds.image_encode = encode.Seconds();

  const Stopwatch write;
  // Writes the same bytes on every try; a written file is durable.
  RETURN_IF_ERROR(RetryOutput(control_, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(written.image.sha256,
                     output_->Put(written.image.path, bytes));
    return absl::OkStatus();
  }));
  written.seconds.image_write = write.Seconds();
  written.image.custom_id = item.custom_id;
  written.image.index = item.index;
  written.image.seed = item.seed;
  written.image.width = image.width;
  written.image.height = image.height;
  // Names who made the picture, for the manifest.
  written.image.worker = worker_;
  return written;
}

}  // namespace tessera::worker

#include "worker/image_files.h"

#include <chrono>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "worker/image_path.h"
#include "worker/png.h"

namespace tessera::worker {
namespace {

// Tries of one write; with waits of 1, 2, 4 and 8 s in between the last comes
// after 15 s. The session synchronizes meanwhile, so no lease is lost.
constexpr int kWritesOfFullDisk = 5;
constexpr absl::Duration kFirstWait = absl::Seconds(1);

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

}  // namespace

absl::Status RetryWhileFull(ExecutionControl& control,
                            const std::function<absl::Status()>& attempt) {
  absl::Duration wait = kFirstWait;
  for (int attempts = 1;; ++attempts) {
    // Retries a full disk alone: other errors do not pass by waiting.
    absl::Status status = attempt();
    if (!absl::IsResourceExhausted(status) || attempts == kWritesOfFullDisk) {
      return status;
    }
    Log(Severity::kWarning, "output is full, waiting",
        {{"status", status}, {"wait", wait}});
    // Gives up at once when stopped: the lease is lost.
    if (!control.WaitUnlessStopped(wait)) return status;
    wait *= 2;
  }
}

absl::StatusOr<std::unique_ptr<ImageFiles>> ImageFiles::Create(
    const Assignment& assignment, const std::string& worker,
    const ModelFacts& model, ExecutionControl& control) {
  ASSIGN_OR_RETURN(const std::string folder,
                   OutputFolder(assignment.output_uri));
  // Retries this too: folders need space as files do.
  std::unique_ptr<ImageWriter> writer;
  RETURN_IF_ERROR(RetryWhileFull(control, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(writer, ImageWriter::Create(folder, worker,
                                                 assignment.lease.shard_index));
    return absl::OkStatus();
  }));
  return std::unique_ptr<ImageFiles>(
      new ImageFiles(assignment, worker, model, control, std::move(writer)));
}

ImageFiles::ImageFiles(const Assignment& assignment, std::string worker,
                       const ModelFacts& model, ExecutionControl& control,
                       std::unique_ptr<ImageWriter> writer)
    : assignment_(assignment),
      worker_(std::move(worker)),
      model_(model),
      control_(control),
      writer_(std::move(writer)) {}

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
  RETURN_IF_ERROR(RetryWhileFull(control_, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(written.image.sha256,
                     writer_->Write(written.image.path, bytes));
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

// Finished pixels become a durable PNG file and a line of the manifest.
#ifndef TESSERA_WORKER_IMAGE_FILES_H_
#define TESSERA_WORKER_IMAGE_FILES_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/assignment.h"
#include "worker/execution_control.h"
#include "worker/generation_parameters.h"
#include "worker/image_writer.h"
#include "worker/model/text_to_image.h"

namespace tessera::worker {

// Seconds spent on one file.
struct FileSeconds {
  double image_encode = 0;
  double image_write = 0;
};

// A file that was written.
struct WrittenImage {
  FinishedImage image;  // `seconds` is left to the caller
  FileSeconds seconds;
};

// Encodes and writes the pictures of one lease. Thread-compatible.
class ImageFiles {
 public:
  // Creates the folders of the lease. `assignment`, `control` and `model` must
  // outlive the result. Errors: INVALID_ARGUMENT for an output that is no
  // folder, or as of ImageWriter.
  static absl::StatusOr<std::unique_ptr<ImageFiles>> Create(
      const Assignment& assignment, const std::string& worker,
      const ModelFacts& model, ExecutionControl& control);

  // Writes the picture of task `task`. While the disk is full it is tried
  // again, four times within about 15 s, unless the execution is stopped.
  absl::StatusOr<WrittenImage> Write(int task, const model::Image& image);

 private:
  ImageFiles(const Assignment& assignment, std::string worker,
             const ModelFacts& model, ExecutionControl& control,
             std::unique_ptr<ImageWriter> writer);

  // Borrowed; the session keeps it until the execution has ended.
  const Assignment& assignment_;
  const std::string worker_;
  // The engine's, for the text in each file.
  const ModelFacts& model_;
  // Ends the waits for a full disk.
  ExecutionControl& control_;
  const std::unique_ptr<ImageWriter> writer_;
};

// Calls `attempt` until it does something else than run out of space: at most
// five times, waiting 1, 2, 4 and 8 s in between. Returns its last status.
absl::Status RetryWhileFull(ExecutionControl& control,
                            const std::function<absl::Status()>& attempt);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_IMAGE_FILES_H_

// Finished pixels become a durable file and a line of the manifest.
#ifndef TESSERA_WORKER_IMAGE_FILES_H_
#define TESSERA_WORKER_IMAGE_FILES_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/output_places.h"
#include "worker/assignment.h"
#include "worker/execution_control.h"
#include "worker/generation_parameters.h"
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
  // Opens the output of the lease and makes it ready. `assignment`, `control`
  // and `model` must outlive the result. Errors: INVALID_ARGUMENT for an output
  // that is none, or as of OutputStore.
  static absl::StatusOr<std::unique_ptr<ImageFiles>> Create(
      const Assignment& assignment, const std::string& worker,
      const ModelFacts& model, const storage::OutputPlaces& places,
      ExecutionControl& control);

  // Writes the picture of task `task`, as RetryOutput says.
  absl::StatusOr<WrittenImage> Write(int task, const model::Image& image);

 private:
  ImageFiles(const Assignment& assignment, std::string worker,
             const ModelFacts& model, ExecutionControl& control,
             std::unique_ptr<storage::OutputStore> output);

  // Borrowed; the session keeps it until the execution has ended.
  const Assignment& assignment_;
  const std::string worker_;
  // The engine's, for the text in each file.
  const ModelFacts& model_;
  // Ends the waits for an output that fails.
  ExecutionControl& control_;
  const std::unique_ptr<storage::OutputStore> output_;
};

// Calls `attempt` until it succeeds or fails for good, and returns its last
// status; the execution's end by a stop ends it too. A full disk
// (RESOURCE_EXHAUSTED) is tried five times within about 15 s; an output that is
// away or throttles (UNAVAILABLE) for half an hour, as the finished picture
// would be lost. The waits are 1, 2, 4 s and so on, up to half a minute.
absl::Status RetryOutput(ExecutionControl& control,
                         const std::function<absl::Status()>& attempt);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_IMAGE_FILES_H_

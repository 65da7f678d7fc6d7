// Writes finished pictures while the next ones are made.
#ifndef TESSERA_WORKER_IMAGE_OUTBOX_H_
#define TESSERA_WORKER_IMAGE_OUTBOX_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "worker/image_files.h"
#include "worker/model/text_to_image.h"

namespace tessera::worker {

// A thread that encodes and writes pictures one after the other, and a bounded
// queue before it: a slow disk delays the pictures that are made only once as
// many wait. Nothing is lost and the order is kept. One thread hands pictures
// over and takes what became of them.
class ImageOutbox {
 public:
  // Writes the picture of a task; called on the outbox's thread.
  using Write = std::function<absl::StatusOr<WrittenImage>(
      int task, const model::Image& image)>;

  // What became of a picture.
  struct Result {
    int task = 0;
    double seconds = 0;  // as it was handed over
    absl::StatusOr<WrittenImage> written;
  };

  // Holds up to `bound` pictures, at least 1, that are not written yet.
  ImageOutbox(Write write, size_t bound);
  // Drops what waits, and waits for the picture that is being written.
  ~ImageOutbox();

  ImageOutbox(const ImageOutbox&) = delete;
  ImageOutbox& operator=(const ImageOutbox&) = delete;

  // Hands a picture over that took `seconds` to make; waits while the outbox
  // holds as many as it may.
  void Put(int task, model::Image image, double seconds);

  // Drops the pictures whose writing has not begun; they have no result.
  void Drop();

  // Returns what ended since the last call, in the order of Put; does not wait.
  std::vector<Result> Take();

  // Waits until every picture has ended and returns as Take does.
  std::vector<Result> TakeAll();

 private:
  struct Picture {
    int task = 0;
    model::Image image;
    double seconds = 0;
  };

  void Run();
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return held_ < bound_;
  }
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return ending_ || !waiting_.empty();
  }
  bool IsEmpty() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return held_ == 0; }

  const Write write_;
  const size_t bound_;
  absl::Mutex mutex_;
  std::deque<Picture> waiting_ ABSL_GUARDED_BY(mutex_);
  // Pictures that wait or are being written.
  size_t held_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Result> ended_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  // Starts last, when all it uses is there.
  std::thread thread_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_IMAGE_OUTBOX_H_

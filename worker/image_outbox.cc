#include "worker/image_outbox.h"

#include <utility>

#include "common/check.h"

namespace tessera::worker {

ImageOutbox::ImageOutbox(Write write, size_t bound)
    : write_(std::move(write)), bound_(bound), thread_([this] { Run(); }) {
  CHECK(bound >= 1);
}

ImageOutbox::~ImageOutbox() {
  Drop();
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  thread_.join();
}

void ImageOutbox::Drop() {
  absl::MutexLock lock(&mutex_);
  held_ -= waiting_.size();
  waiting_.clear();
}

void ImageOutbox::Put(int task, model::Image image, double seconds) {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](ImageOutbox* self)
           ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->HasRoom(); },
      this));
  waiting_.push_back({task, std::move(image), seconds});
  ++held_;
}

std::vector<ImageOutbox::Result> ImageOutbox::Take() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(ended_, {});
}

std::vector<ImageOutbox::Result> ImageOutbox::TakeAll() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](ImageOutbox* self)
           ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->IsEmpty(); },
      this));
  return std::exchange(ended_, {});
}

// Writes until the outbox ends; holds no lock while it writes.
void ImageOutbox::Run() {
  while (true) {
    Picture picture;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](ImageOutbox* self)
               ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->HasWork(); },
          this));
      if (waiting_.empty()) return;
      picture = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Result result{picture.task, picture.seconds,
                  write_(picture.task, picture.image)};
    absl::MutexLock lock(&mutex_);
    ended_.push_back(std::move(result));
    --held_;
  }
}

}  // namespace tessera::worker

#include "worker/micro_batcher.h"

#include <algorithm>

#include "common/check.h"

namespace tessera::worker {

MicroBatcher::MicroBatcher(int capacity) : capacity_(capacity) {
  CHECK(capacity >= 1);
}

// Takes any size; Admit groups them.
void MicroBatcher::Add(const WaitingTask& task) { waiting_.push_back(task); }

std::optional<int> MicroBatcher::Admit() {
  // Holds at capacity: places come back through Leave.
  if (running_ >= capacity_ || waiting_.empty()) return std::nullopt;
  // Adopts the size of the longest waiting when nothing runs.
  if (running_ == 0) {
    width_ = waiting_.front().width;
    height_ = waiting_.front().height;
  }
  // Passes over tasks of other sizes, which wait for the batch to empty.
  const auto next = std::find_if(
      waiting_.begin(), waiting_.end(), [this](const WaitingTask& task) {
        return task.width == width_ && task.height == height_;
      });
  if (next == waiting_.end()) return std::nullopt;
  const int task = next->task;
  waiting_.erase(next);
  ++running_;
  return task;
}

void MicroBatcher::Leave() {
  CHECK(running_ > 0);
  --running_;
}

void MicroBatcher::Shrink(int capacity) {
  capacity_ = std::max(1, std::min(capacity_, capacity));
}

void MicroBatcher::Return(const WaitingTask& task) {
  Leave();
  waiting_.push_front(task);
}

}  // namespace tessera::worker

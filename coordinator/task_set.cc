#include "coordinator/task_set.h"

#include <algorithm>
#include <bit>

#include "common/check.h"

namespace tessera::coordinator {

TaskSet::TaskSet(int32_t size) : size_(size), bits_((size + 7) / 8, '\0') {
  // Callers have checked sizes that come from outside.
  CHECK(size >= 0);
}

TaskSet::TaskSet(int32_t size, std::string_view bytes) : TaskSet(size) {
  std::copy_n(bytes.begin(), std::min(bytes.size(), bits_.size()),
              // Takes what fits: bytes beyond are ignored, missing ones stay
              // empty.
              bits_.begin());
  // Clears the bits beyond `size` in the last byte, so that Count and equality
  // see tasks only.
  if (size % 8 != 0) {
    bits_.back() = static_cast<char>(bits_.back() & ((1 << (size % 8)) - 1));
  }
}

void TaskSet::Insert(int32_t task) {
  CHECK(task >= 0 && task < size_);
  bits_[task / 8] = static_cast<char>(bits_[task / 8] | (1 << (task % 8)));
}

bool TaskSet::Contains(int32_t task) const {
  CHECK(task >= 0 && task < size_);
  return (bits_[task / 8] >> (task % 8) & 1) != 0;
}

int32_t TaskSet::Count() const {
  // A bit a task, eight at a time: Count is called for every answer that needs
  // to know whether a shard is complete.
  int32_t count = 0;
  for (char byte : bits_) count += std::popcount(static_cast<uint8_t>(byte));
  return count;
}

int32_t TaskSet::FirstAbsent() const {
  // Linear, for lost shards only.
  int32_t task = 0;
  while (task < size_ && Contains(task)) ++task;
  return task;
}

std::vector<int32_t> TaskSet::Tasks() const {
  std::vector<int32_t> tasks;
  for (int32_t task = 0; task < size_; ++task) {
    if (Contains(task)) tasks.push_back(task);
  }
  return tasks;
}

}  // namespace tessera::coordinator

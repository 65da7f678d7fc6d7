// Which tasks of a shard have ended, one bit a task.
#ifndef TESSERA_COORDINATOR_TASK_SET_H_
#define TESSERA_COORDINATOR_TASK_SET_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::coordinator {

// A set of task indices in [0, size). Thread-compatible.
class TaskSet {
 public:
  TaskSet() = default;

  // Makes an empty set for `size` tasks.
  explicit TaskSet(int32_t size);

  // Reads what `Bytes` wrote for a set of `size` tasks; bits that are missing
  // or beyond `size` count as absent.
  TaskSet(int32_t size, std::string_view bytes);

  // Adds `task`, which lies in [0, size). Adding twice changes nothing.
  void Insert(int32_t task);

  bool Contains(int32_t task) const;

  // Returns how many tasks are in the set.
  int32_t Count() const;

  int32_t size() const { return size_; }
  bool full() const { return Count() == size_; }

  // Returns the smallest absent task; `size` when the set is full.
  int32_t FirstAbsent() const;

  // Lists the set in ascending order.
  std::vector<int32_t> Tasks() const;

  // Returns the bits, task 0 in the lowest bit of the first byte.
  const std::string& Bytes() const { return bits_; }

  friend bool operator==(const TaskSet&, const TaskSet&) = default;

 private:
  int32_t size_ = 0;
  std::string bits_;  // ceil(size / 8) bytes
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_TASK_SET_H_

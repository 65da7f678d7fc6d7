// Which pictures go through the UNet together.
#ifndef TESSERA_WORKER_MICRO_BATCHER_H_
#define TESSERA_WORKER_MICRO_BATCHER_H_

#include <deque>
#include <optional>

namespace tessera::worker {

// A task waiting for a place in the batch, its size resolved, in pixels.
struct WaitingTask {
  int task = 0;
  int width = 0;
  int height = 0;
};

// Fills a batch that pictures enter and leave one by one. Only pictures of
// equal size may be together; a size is finished before the next begins, and
// within a size the order of the shard is kept. Pure; thread-compatible.
class MicroBatcher {
 public:
  // `capacity` is at least 1; 1 isolates the pictures from each other.
  explicit MicroBatcher(int capacity);

  // Appends a task to those that wait.
  void Add(const WaitingTask& task);

  // Takes the next task that may enter beside the running ones; nothing when
  // the batch is full or no waiting task has its size.
  std::optional<int> Admit();

  // Gives a place back: a picture left the batch, finished or failed.
  void Leave();

  // Lowers the capacity for good, to at least 1; pictures that run beyond it
  // stay.
  void Shrink(int capacity);

  // Gives the place of a running task back and has it admitted next, before
  // those that wait. Of several, call for the last one first.
  void Return(const WaitingTask& task);

  // Returns how many places there are.
  int capacity() const { return capacity_; }

  // Returns how many places are taken.
  int running() const { return running_; }
  // Says whether every task was admitted and has left.
  bool done() const { return running_ == 0 && waiting_.empty(); }

 private:
  // Places in the batch.
  int capacity_;
  int running_ = 0;
  int width_ = 0;  // of the running pictures
  int height_ = 0;
  // In the order of the shard; tasks of other sizes keep their turn.
  std::deque<WaitingTask> waiting_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_MICRO_BATCHER_H_

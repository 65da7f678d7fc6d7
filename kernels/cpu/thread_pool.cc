#include "kernels/cpu/thread_pool.h"

#include <algorithm>

namespace tessera::kernels::cpu {
namespace {

// About 50 us on the machines at hand: longer than the gap between two ops,
// shorter than anything a person notices as a busy core.
constexpr int kSpins = 2000;

// Tells the core that this is a spin loop, so that its sibling gets the ports.
inline void Pause() { __builtin_ia32_pause(); }

}  // namespace

// Starts threads 1 and up; whoever calls ParallelFor is thread 0.
ThreadPool::ThreadPool(int threads) : threads_(threads) {
  CHECK(threads >= 1);
  for (int i = 0; i < threads; ++i) {
    // Allocates once, so that no loop does.
    workspaces_.push_back(Tensor(Shape{kWorkspaceBytes / 4}, DType::kF32));
  }
  for (int i = 1; i < threads; ++i) {
    workers_.emplace_back([this, i] { Serve(i); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  // Publishes `stopping_` with a round that has no loop; sleepers wake and read
  // it.
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::ParallelFor(int64_t count, Body body) {
  absl::MutexLock turn(&turn_);
  // Runs on the caller alone what cannot be split.
  if (threads_ == 1 || count <= 1) {
    if (count > 0) body(0, count, 0);
    return;
  }
  // Publishes the loop with the release below: workers read it after they
  // acquire the new round.
  body_ = &body;
  count_ = count;
  unfinished_.store(threads_ - 1, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  RunPart(0);
  // Waits for the slowest part; its writes are visible once 0 is acquired.
  int unfinished = unfinished_.load(std::memory_order_acquire);
  for (int spin = 0; unfinished != 0; ++spin) {
    // Sleeps at last: with more threads than cores a worker may need this one.
    if (spin < kSpins) {
      Pause();
    } else {
      unfinished_.wait(unfinished, std::memory_order_acquire);
    }
    unfinished = unfinished_.load(std::memory_order_acquire);
  }
}

// Serves one loop a round. Counting `seen` up by one is enough: no round starts
// before this thread has finished the last.
void ThreadPool::Serve(int thread) {
  uint32_t seen = 0;
  while (true) {
    for (int spin = 0;
         round_.load(std::memory_order_acquire) == seen && spin < kSpins;
         ++spin) {
      Pause();
    }
    round_.wait(seen, std::memory_order_acquire);
    ++seen;
    if (stopping_.load(std::memory_order_relaxed)) return;
    RunPart(thread);
    if (unfinished_.fetch_sub(1, std::memory_order_release) == 1) {
      unfinished_.notify_one();
    }
  }
}

// Takes a part by arithmetic on the thread's number alone: what a thread
// computes never depends on who was faster.
void ThreadPool::RunPart(int thread) {
  const int64_t begin = count_ * thread / threads_;
  const int64_t end = count_ * (thread + 1) / threads_;
  if (begin < end) (*body_)(begin, end, thread);
}

}  // namespace tessera::kernels::cpu

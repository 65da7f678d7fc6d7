#include "kernels/cpu/thread_pool.h"

#include <algorithm>

namespace tessera::kernels::cpu {
namespace {

// About 50 us on the machines at hand: longer than the gap between two ops,
// shorter than anything a person notices as a busy core.
constexpr int kSpins = 2000;

inline void Pause() { __builtin_ia32_pause(); }

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads) {
  CHECK(threads >= 1);
  for (int i = 0; i < threads; ++i) {
    workspaces_.push_back(Tensor(Shape{kWorkspaceBytes / 4}, DType::kF32));
  }
  for (int i = 1; i < threads; ++i) {
    workers_.emplace_back([this, i] { Serve(i); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::ParallelFor(int64_t count, Body body) {
  absl::MutexLock turn(&turn_);
  if (threads_ == 1 || count <= 1) {
    if (count > 0) body(0, count, 0);
    return;
  }
  body_ = &body;
  count_ = count;
  unfinished_.store(threads_ - 1, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  RunPart(0);
  for (int spin = 0; unfinished_.load(std::memory_order_acquire) != 0; ++spin) {
    if (spin < kSpins) {
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

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
    unfinished_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::RunPart(int thread) {
  const int64_t begin = count_ * thread / threads_;
  const int64_t end = count_ * (thread + 1) / threads_;
  if (begin < end) (*body_)(begin, end, thread);
}

}  // namespace tessera::kernels::cpu

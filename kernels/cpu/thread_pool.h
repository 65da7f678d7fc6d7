// A few threads that share one loop, split by fixed arithmetic.
#ifndef TESSERA_KERNELS_CPU_THREAD_POOL_H_
#define TESSERA_KERNELS_CPU_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "kernels/tensor.h"

namespace tessera::kernels::cpu {

// Runs loops on a fixed number of threads, the caller's included. Waiting
// threads spin for a moment and then sleep, so that the short ops of a forward
// pass do not pay a wake-up each. No heap allocation. Thread-safe: callers take
// turns, and the one whose turn it is owns the workspaces.
class ThreadPool {
 public:
  // Bytes of scratch memory that each thread owns for packing.
  static constexpr int64_t kWorkspaceBytes = 4 << 20;

  // Starts `threads` - 1 threads, at least 1 thread in all.
  explicit ThreadPool(int threads);
  // Waits for the threads; no loop may be under way.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Returns the number of threads, the caller's included.
  int threads() const { return threads_; }

  // Calls body(begin, end, thread) once a thread for consecutive ranges that
  // cover [0, count); returns when all are done. The split depends on `count`
  // and the number of threads only.
  void ParallelFor(int64_t count,
                   absl::FunctionRef<void(int64_t, int64_t, int)> body);

  // Returns the scratch memory of `thread`, kWorkspaceBytes long.
  float* workspace(int thread) const {
    return workspaces_[static_cast<size_t>(thread)].f32();
  }

 private:
  using Body = absl::FunctionRef<void(int64_t, int64_t, int)>;

  void Serve(int thread);
  void RunPart(int thread);

  // Threads that share a loop, the caller's included.
  const int threads_;
  // Held by the caller whose loop runs.
  absl::Mutex turn_;
  // One a thread, allocated once.
  std::vector<Tensor> workspaces_;
  // Threads 1 and up; thread 0 is whoever calls.
  std::vector<std::thread> workers_;
  // The loop under way: written before `round_` grows, read after.
  const Body* body_ = nullptr;
  int64_t count_ = 0;
  alignas(64) std::atomic<uint32_t> round_{0};  // grows with every loop
  // Workers that have not finished the loop under way.
  alignas(64) std::atomic<int> unfinished_{0};
  // Makes workers return from their next round.
  std::atomic<bool> stopping_{false};
};

}  // namespace tessera::kernels::cpu

#endif  // TESSERA_KERNELS_CPU_THREAD_POOL_H_

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

  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

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

  const int threads_;
  absl::Mutex turn_;
  std::vector<Tensor> workspaces_;
  std::vector<std::thread> workers_;
  const Body* body_ = nullptr;
  int64_t count_ = 0;
  alignas(64) std::atomic<uint32_t> round_{0};  // grows with every loop
  alignas(64) std::atomic<int> unfinished_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace tessera::kernels::cpu

#endif  // TESSERA_KERNELS_CPU_THREAD_POOL_H_

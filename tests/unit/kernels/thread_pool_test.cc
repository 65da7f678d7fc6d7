#include "kernels/cpu/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::kernels::cpu {
namespace {

TEST(ThreadPoolTest, RunsEveryIndexOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const int64_t count : {0, 1, 2, 5, 6, 7, 100}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));

      pool.ParallelFor(count, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i) ++runs[static_cast<size_t>(i)];
      });

      for (const std::atomic<int>& run : runs) EXPECT_EQ(run, 1);
    }
  }
}

TEST(ThreadPoolTest, SplitsEvenlyAndAlwaysTheSameWay) {
  ThreadPool pool(3);
  for (int round = 0; round < 3; ++round) {
    std::vector<int> owner(10);

    pool.ParallelFor(10, [&](int64_t begin, int64_t end, int thread) {
      for (int64_t i = begin; i < end; ++i) {
        owner[static_cast<size_t>(i)] = thread;
      }
    });

    EXPECT_TRUE(std::is_sorted(owner.begin(), owner.end()));
    for (const int thread : {0, 1, 2}) {
      const auto share = std::count(owner.begin(), owner.end(), thread);
      EXPECT_GE(share, 3);
      EXPECT_LE(share, 4);
    }
  }
}

TEST(ThreadPoolTest, ManyShortLoopsAllFinish) {
  ThreadPool pool(4);
  std::atomic<int64_t> total = 0;

  for (int i = 0; i < 5000; ++i) {
    pool.ParallelFor(
        4, [&](int64_t begin, int64_t end, int) { total += end - begin; });
  }

  EXPECT_EQ(total, 20000);
}

TEST(ThreadPoolTest, ThreadsWakeAfterTheySlept) {
  ThreadPool pool(2);
  std::atomic<int> runs = 0;
  for (int i = 0; i < 3; ++i) {
    // Long enough for the waiting thread to stop spinning.
    for (int yields = 0; yields < 20000; ++yields) std::this_thread::yield();

    pool.ParallelFor(2, [&](int64_t begin, int64_t end, int) {
      runs += static_cast<int>(end - begin);
    });
  }

  EXPECT_EQ(runs, 6);
}

TEST(ThreadPoolTest, CallersOnTwoThreadsTakeTurns) {
  ThreadPool pool(2);
  std::atomic<int64_t> total = 0;
  const auto call = [&] {
    for (int i = 0; i < 500; ++i) {
      pool.ParallelFor(
          3, [&](int64_t begin, int64_t end, int) { total += end - begin; });
    }
  };

  std::thread other(call);
  call();
  other.join();

  EXPECT_EQ(total, 3000);
}

TEST(ThreadPoolTest, WorkspacesAreApart) {
  ThreadPool pool(2);
  const float* const first = pool.workspace(0);
  const float* const second = pool.workspace(1);

  EXPECT_GE(std::abs(second - first) * 4, ThreadPool::kWorkspaceBytes);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0u);
}

}  // namespace
}  // namespace tessera::kernels::cpu

#include "kernels/cuda/tiles/turns.h"

#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Named barriers: a wait ends once `Turns::kThreads` threads came. A group is
// 128 threads that step together.
class NamedBarriers {
 public:
  void Come(int id) { threads_[id] += 128; }

  // Returns whether the barrier is complete, and resets it then.
  bool Complete(int id) {
    if (threads_[id] < Turns::kThreads) return false;
    threads_[id] -= Turns::kThreads;
    return true;
  }

  bool Empty() const {
    for (const auto& [id, count] : threads_) {
      if (count != 0) return false;
    }
    return true;
  }

 private:
  std::map<int, int> threads_;
};

// One group's program, as the kernel runs it, one step a call.
class Group {
 public:
  Group(int group, int turns) : turns_{group}, left_(turns) {}

  // Goes on if it can; appends its number to `order` at each turn.
  void Step(NamedBarriers& barriers, std::vector<int>& order) {
    if (!started_) {
      started_ = true;
      if (turns_.ArrivesFirst(left_)) barriers.Come(turns_.other_barrier());
      return;
    }
    if (left_ == 0) return;
    if (!waiting_) {
      barriers.Come(turns_.own_barrier());
      waiting_ = true;
    }
    if (!barriers.Complete(turns_.own_barrier())) return;
    waiting_ = false;
    order.push_back(turns_.group);
    --left_;
    if (turns_.ArrivesAfter(left_)) barriers.Come(turns_.other_barrier());
  }

  bool Done() const { return started_ && left_ == 0; }

 private:
  Turns turns_;
  int left_;
  bool started_ = false, waiting_ = false;
};

TEST(TurnsTest, GroupsAlternateAndLeaveBarriersEmpty) {
  std::mt19937 random(1);
  for (int turns = 0; turns <= 6; ++turns) {
    std::vector<int> expected;
    for (int i = 0; i < turns; ++i) {
      expected.push_back(0);
      expected.push_back(1);
    }
    for (int trial = 0; trial < 100; ++trial) {
      NamedBarriers barriers;
      Group groups[] = {{0, turns}, {1, turns}};
      std::vector<int> order;
      for (int step = 0; step < 1000; ++step) {
        groups[random() % 2].Step(barriers, order);
      }
      ASSERT_TRUE(groups[0].Done() && groups[1].Done()) << turns << " turns";
      EXPECT_EQ(order, expected);
      EXPECT_TRUE(barriers.Empty()) << turns << " turns";
    }
  }
}

TEST(TurnsTest, BarriersAreTheGroupsOwn) {
  EXPECT_EQ(Turns{0}.own_barrier(), Turns{1}.other_barrier());
  EXPECT_EQ(Turns{1}.own_barrier(), Turns{0}.other_barrier());
  EXPECT_NE(Turns{0}.own_barrier(), Turns{1}.own_barrier());
  EXPECT_NE(Turns{0}.own_barrier(), 0);  // __syncthreads
  EXPECT_NE(Turns{1}.own_barrier(), 0);
}

}  // namespace
}  // namespace tessera::kernels::cuda

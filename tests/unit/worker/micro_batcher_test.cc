#include "worker/micro_batcher.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

TEST(MicroBatcherTest, IsDoneWithoutTasks) {
  MicroBatcher batcher(2);

  EXPECT_TRUE(batcher.done());
  EXPECT_EQ(batcher.Admit(), std::nullopt);
}

TEST(MicroBatcherTest, AdmitsInOrderUntilFull) {
  MicroBatcher batcher(2);
  for (int task : {5, 6, 7}) batcher.Add({task, 64, 64});

  EXPECT_EQ(batcher.Admit(), 5);
  EXPECT_EQ(batcher.Admit(), 6);
  EXPECT_EQ(batcher.Admit(), std::nullopt);
  EXPECT_EQ(batcher.running(), 2);
}

TEST(MicroBatcherTest, PlaceIsFilledAgainAtOnce) {
  MicroBatcher batcher(2);
  for (int task : {0, 1, 2}) batcher.Add({task, 64, 64});
  batcher.Admit();
  batcher.Admit();

  batcher.Leave();

  EXPECT_EQ(batcher.Admit(), 2);
}

TEST(MicroBatcherTest, OtherSizesWaitUntilTheBatchIsEmpty) {
  MicroBatcher batcher(3);
  batcher.Add({0, 64, 64});
  batcher.Add({1, 64, 128});
  batcher.Add({2, 64, 64});

  EXPECT_EQ(batcher.Admit(), 0);
  EXPECT_EQ(batcher.Admit(), 2);
  EXPECT_EQ(batcher.Admit(), std::nullopt);
  batcher.Leave();
  EXPECT_EQ(batcher.Admit(), std::nullopt);
  batcher.Leave();
  EXPECT_EQ(batcher.Admit(), 1);
}

TEST(MicroBatcherTest, TurnedPictureIsAnotherSize) {
  MicroBatcher batcher(2);
  batcher.Add({0, 64, 128});
  batcher.Add({1, 128, 64});

  batcher.Admit();

  EXPECT_EQ(batcher.Admit(), std::nullopt);
}

TEST(MicroBatcherTest, CapacityOfOneIsolates) {
  MicroBatcher batcher(1);
  batcher.Add({0, 64, 64});
  batcher.Add({1, 64, 64});

  EXPECT_EQ(batcher.Admit(), 0);
  EXPECT_EQ(batcher.Admit(), std::nullopt);
  batcher.Leave();
  EXPECT_EQ(batcher.Admit(), 1);
  batcher.Leave();
  EXPECT_TRUE(batcher.done());
}

TEST(MicroBatcherTest, EveryTaskIsAdmittedOnce) {
  MicroBatcher batcher(4);
  for (int task = 0; task < 100; ++task) {
    batcher.Add({task, 64 + 8 * (task % 3), 64});
  }
  std::vector<bool> seen(100, false);

  while (!batcher.done()) {
    while (const std::optional<int> task = batcher.Admit()) {
      EXPECT_FALSE(seen[*task]);
      seen[*task] = true;
    }
    batcher.Leave();
  }

  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 100);
}

TEST(MicroBatcherTest, ReturnedTasksComeBeforeThoseThatWait) {
  MicroBatcher batcher(2);
  for (int task : {0, 1, 2}) batcher.Add({task, 64, 64});
  batcher.Admit();
  batcher.Admit();

  batcher.Return({1, 64, 64});
  batcher.Return({0, 64, 64});

  EXPECT_EQ(batcher.running(), 0);
  EXPECT_EQ(batcher.Admit(), 0);
  EXPECT_EQ(batcher.Admit(), 1);
}

TEST(MicroBatcherTest, ShrunkBatchAdmitsNoneUntilItFits) {
  MicroBatcher batcher(3);
  for (int task : {0, 1, 2, 3}) batcher.Add({task, 64, 64});
  for (int i = 0; i < 3; ++i) batcher.Admit();

  batcher.Shrink(2);

  batcher.Leave();
  EXPECT_EQ(batcher.Admit(), std::nullopt);
  batcher.Leave();
  EXPECT_EQ(batcher.Admit(), 3);
}

TEST(MicroBatcherTest, ShrinksToOneAndNeverGrows) {
  MicroBatcher batcher(2);

  batcher.Shrink(5);
  EXPECT_EQ(batcher.capacity(), 2);
  batcher.Shrink(0);
  EXPECT_EQ(batcher.capacity(), 1);
}

}  // namespace
}  // namespace tessera::worker

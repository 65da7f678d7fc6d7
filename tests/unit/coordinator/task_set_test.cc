#include "coordinator/task_set.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TaskSetTest, StartsEmpty) {
  const TaskSet set(9);

  EXPECT_EQ(set.Count(), 0);
  EXPECT_EQ(set.FirstAbsent(), 0);
  EXPECT_THAT(set.Tasks(), IsEmpty());
  EXPECT_FALSE(set.full());
}

TEST(TaskSetTest, InsertingTwiceCountsOnce) {
  TaskSet set(9);
  set.Insert(8);
  set.Insert(0);
  set.Insert(8);

  EXPECT_THAT(set.Tasks(), ElementsAre(0, 8));
  EXPECT_EQ(set.FirstAbsent(), 1);
}

TEST(TaskSetTest, EverySizeFillsUp) {
  for (int32_t size = 1; size <= 70; ++size) {
    TaskSet set(size);
    for (int32_t task = 0; task < size; ++task) {
      EXPECT_FALSE(set.full());
      set.Insert(task);
    }
    EXPECT_TRUE(set.full());
    EXPECT_EQ(set.FirstAbsent(), size);
  }
}

TEST(TaskSetTest, BytesReadBack) {
  TaskSet set(20);
  set.Insert(3);
  set.Insert(19);

  EXPECT_EQ(TaskSet(20, set.Bytes()), set);
}

TEST(TaskSetTest, ShortAndDirtyBytesAreTamed) {
  EXPECT_THAT(TaskSet(20, "\x01").Tasks(), ElementsAre(0));
  EXPECT_EQ(TaskSet(3, "\xff\xff").Count(), 3);
}

TEST(TaskSetDeathTest, TaskOutsideIsABug) {
  TaskSet set(3);
  EXPECT_DEATH(set.Insert(3), "task < size_");
}

}  // namespace
}  // namespace tessera::coordinator

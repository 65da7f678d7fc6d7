#include "coordinator/retry_policy.h"

#include "coordinator/task_attempts.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::IsEmpty;

TEST(RetryPolicyTest, OnlyPassingFailuresAreRetried) {
  for (const char* code : {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED"}) {
    EXPECT_TRUE(IsRetryable(code)) << code;
  }
  for (const char* code : {"INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND",
                           "FAILED_PRECONDITION", "WORKER_LOST", "", "?"}) {
    EXPECT_FALSE(IsRetryable(code)) << code;
  }
}

TEST(RetryPolicyTest, ThirdAttemptIsTheLast) {
  EXPECT_TRUE(ShouldRetry("UNAVAILABLE", 1));
  EXPECT_TRUE(ShouldRetry("UNAVAILABLE", 2));
  EXPECT_FALSE(ShouldRetry("UNAVAILABLE", 3));
  EXPECT_FALSE(ShouldRetry("INTERNAL", 1));
}

TEST(TaskAttemptsTest, AttemptCountsOncePerLease) {
  Shard shard{.epoch = 1, .finished = TaskSet(2)};

  EXPECT_EQ(CountAttempt(shard, 0), 1);
  EXPECT_EQ(CountAttempt(shard, 0), 1);
  shard.epoch = 2;
  EXPECT_EQ(CountAttempt(shard, 0), 2);
}

TEST(TaskAttemptsTest, LeaseIsSpentWhenNothingIsLeftToTry) {
  Shard shard{.epoch = 1, .finished = TaskSet(2)};
  EXPECT_FALSE(LeaseIsSpent(shard));

  CountAttempt(shard, 0);
  EXPECT_TRUE(AttemptedUnderLease(shard, 0));
  EXPECT_FALSE(LeaseIsSpent(shard));

  shard.finished.Insert(1);
  EXPECT_TRUE(LeaseIsSpent(shard));
  shard.epoch = 2;
  EXPECT_FALSE(LeaseIsSpent(shard));
}

TEST(TaskAttemptsTest, CompleteShardIsSpent) {
  Shard shard{.epoch = 1, .finished = TaskSet(1)};
  CountAttempt(shard, 0);
  ForgetAttempts(shard, 0);
  shard.finished.Insert(0);

  EXPECT_THAT(shard.attempts, IsEmpty());
  EXPECT_TRUE(LeaseIsSpent(shard));
}

}  // namespace
}  // namespace tessera::coordinator

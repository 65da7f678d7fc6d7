#include "client/retry.h"

#include "gtest/gtest.h"
#include "tests/unit/client/instant_clock.h"

namespace tessera::client {
namespace {

TEST(RetryTest, OnlyWhatMayPassIsTransient) {
  EXPECT_TRUE(IsTransient(absl::UnavailableError("")));
  EXPECT_TRUE(IsTransient(absl::ResourceExhaustedError("")));
  EXPECT_TRUE(IsTransient(absl::UnknownError("Stream removed")));
  EXPECT_TRUE(IsTransient(absl::CancelledError("")));
  EXPECT_FALSE(IsTransient(absl::OkStatus()));
  EXPECT_FALSE(IsTransient(absl::InvalidArgumentError("")));
  EXPECT_FALSE(IsTransient(absl::InternalError("")));
}

TEST(RetryTest, DelayDoublesUpToTwoSeconds) {
  EXPECT_EQ(RetryDelay(1, 1), absl::Milliseconds(100));
  EXPECT_EQ(RetryDelay(2, 1), absl::Milliseconds(200));
  EXPECT_EQ(RetryDelay(4, 1), absl::Milliseconds(800));
  EXPECT_EQ(RetryDelay(6, 1), absl::Seconds(2));
  EXPECT_EQ(RetryDelay(1'000'000, 1), absl::Seconds(2));
  EXPECT_EQ(RetryDelay(0, 1), absl::Milliseconds(100));
}

TEST(RetryTest, JitterTakesAtMostHalfAway) {
  for (int attempt = 1; attempt < 8; ++attempt) {
    EXPECT_EQ(RetryDelay(attempt, 0), RetryDelay(attempt, 1) / 2);
    EXPECT_GT(RetryDelay(attempt, 0.5), RetryDelay(attempt, 0.1));
  }
}

TEST(RetryTest, PauseTakesTheTimeOfTheClock) {
  InstantClock clock;
  const absl::Time before = clock.Now();

  Pause(clock, absl::Hours(5));

  EXPECT_EQ(clock.Now() - before, absl::Hours(5));
}

}  // namespace
}  // namespace tessera::client

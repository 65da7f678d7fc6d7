#include "worker/backoff.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

constexpr absl::Duration kFirst = absl::Milliseconds(100);
constexpr absl::Duration kLongest = absl::Seconds(2);

TEST(BackoffTest, StaysBelowABoundThatDoubles) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    Backoff backoff(kFirst, kLongest, seed);
    absl::Duration bound = kFirst;
    for (int i = 0; i < 12; ++i) {
      const absl::Duration wait = backoff.Next();
      EXPECT_GE(wait, absl::ZeroDuration());
      EXPECT_LE(wait, std::min(bound, kLongest));
      bound *= 2;
    }
  }
}

TEST(BackoffTest, UsesTheWholeRange) {
  absl::Duration least = kLongest;
  absl::Duration most = absl::ZeroDuration();
  Backoff backoff(kLongest, kLongest, 7);
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration wait = backoff.Next();
    least = std::min(least, wait);
    most = std::max(most, wait);
  }

  EXPECT_LT(least, 0.05 * kLongest);
  EXPECT_GT(most, 0.95 * kLongest);
}

TEST(BackoffTest, ResetStartsAgain) {
  Backoff backoff(kFirst, kLongest, 3);
  for (int i = 0; i < 10; ++i) backoff.Next();
  EXPECT_EQ(backoff.failures(), 10);

  backoff.Reset();

  EXPECT_EQ(backoff.failures(), 0);
  EXPECT_LE(backoff.Next(), kFirst);
}

}  // namespace
}  // namespace tessera::worker

#include "worker/image_files.h"

#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace tessera::worker {
namespace {

class RetryOutputTest : public ::testing::Test {
 protected:
  absl::Status Retry(int failures) {
    return RetryOutput(control_, [&]() -> absl::Status {
      return calls_++ < failures ? absl::ResourceExhaustedError("disk full")
                                 : absl::OkStatus();
    });
  }

  testing::FakeClock clock_{testing::FakeClock::Mode::kWaitsPassTime};
  ExecutionControl control_{clock_};
  int calls_ = 0;
};

TEST_F(RetryOutputTest, SucceedsWhenThereIsRoomAgain) {
  const absl::Time start = clock_.Now();

  EXPECT_TRUE(Retry(3).ok());

  EXPECT_EQ(calls_, 4);
  EXPECT_EQ(clock_.Now() - start, absl::Seconds(1 + 2 + 4));
}

TEST_F(RetryOutputTest, GivesUpAfterFiveTries) {
  EXPECT_TRUE(absl::IsResourceExhausted(Retry(100)));

  EXPECT_EQ(calls_, 5);
}

TEST_F(RetryOutputTest, OutputThatIsAwayIsWaitedForLonger) {
  const absl::Time start = clock_.Now();

  const absl::Status status = RetryOutput(control_, [&]() -> absl::Status {
    // Throttled for a minute.
    return clock_.Now() - start < absl::Minutes(1)
               ? absl::UnavailableError("SlowDown")
               : absl::OkStatus();
  });

  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(RetryOutputTest, OutputThatStaysAwayFailsInTheEnd) {
  const absl::Time start = clock_.Now();

  const absl::Status status =
      RetryOutput(control_, [] { return absl::UnavailableError("SlowDown"); });

  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_GE(clock_.Now() - start, absl::Minutes(30));
  EXPECT_LE(clock_.Now() - start, absl::Minutes(31));
}

TEST_F(RetryOutputTest, DoesNotWaitWhenStopped) {
  control_.Stop();

  EXPECT_TRUE(absl::IsResourceExhausted(Retry(100)));

  EXPECT_EQ(calls_, 1);
}

TEST_F(RetryOutputTest, OtherErrorsAreNotRepeated) {
  const absl::Status status = RetryOutput(control_, [&]() -> absl::Status {
    ++calls_;
    return absl::PermissionDeniedError("no");
  });

  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_EQ(calls_, 1);
}

}  // namespace
}  // namespace tessera::worker

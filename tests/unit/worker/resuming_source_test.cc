#include "worker/resuming_source.h"

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::FakeClock;
using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// Serves "0123456789" and breaks off as told: each fetch gives as many bytes as
// its entry of `script` says and then its status; after the script all is well.
class BreakingSource final : public lora::BlobSource {
 public:
  struct Step {
    size_t bytes;
    absl::Status status;
  };

  absl::Status Fetch(const std::string&, int64_t offset,
                     const lora::BlobSink& sink) override {
    offsets.push_back(offset);
    const bool scripted = offsets.size() <= script.size();
    const Step step =
        scripted ? script[offsets.size() - 1] : Step{10, absl::OkStatus()};
    const std::string bytes =
        std::string("0123456789").substr(offset, step.bytes);
    if (!bytes.empty()) {
      const absl::Status status = sink(bytes);
      if (!status.ok()) return status;
    }
    return step.status;
  }
  void Stop() override { stopped = true; }

  std::vector<Step> script;
  std::vector<int64_t> offsets;
  bool stopped = false;
};

class ResumingSourceTest : public ::testing::Test {
 protected:
  absl::Status Fetch(int64_t offset) {
    return resuming_.Fetch("digest", offset, [&](std::string_view bytes) {
      got_ += bytes;
      return absl::OkStatus();
    });
  }

  BreakingSource source_;
  FakeClock clock_;
  ResumingSource resuming_{source_, {.tries = 3}, clock_};
  std::string got_;
};

const absl::Status kAway = absl::UnavailableError("away");

TEST_F(ResumingSourceTest, GoesOnWhereItBroke) {
  source_.script = {{4, kAway}, {3, absl::DeadlineExceededError("slow")}};

  EXPECT_THAT(Fetch(0), IsOk());

  EXPECT_EQ(got_, "0123456789");
  EXPECT_THAT(source_.offsets, ElementsAre(0, 4, 7));
}

TEST_F(ResumingSourceTest, BeginsAtTheCallersOffset) {
  source_.script = {{1, kAway}};

  EXPECT_THAT(Fetch(5), IsOk());

  EXPECT_EQ(got_, "56789");
  EXPECT_THAT(source_.offsets, ElementsAre(5, 6));
}

TEST_F(ResumingSourceTest, GivesUpAfterTriesThatBringNothing) {
  source_.script = {{2, kAway}, {0, kAway}, {0, kAway}, {0, kAway}};

  EXPECT_THAT(Fetch(0), StatusIs(absl::StatusCode::kUnavailable, "away"));

  // The first brought bytes; it and two more make three.
  EXPECT_THAT(source_.offsets, ElementsAre(0, 2, 2));
}

TEST_F(ResumingSourceTest, ProgressEarnsNewTries) {
  for (int byte = 0; byte < 9; ++byte) source_.script.push_back({1, kAway});

  EXPECT_THAT(Fetch(0), IsOk());

  EXPECT_EQ(got_, "0123456789");
  EXPECT_THAT(source_.offsets, SizeIs(10));
}

TEST_F(ResumingSourceTest, WaitsBetweenTries) {
  source_.script = {{0, kAway}, {0, kAway}};
  const absl::Time start = clock_.Now();

  EXPECT_THAT(Fetch(0), IsOk());

  EXPECT_GT(clock_.Now(), start);
  EXPECT_LE(clock_.Now() - start, absl::Milliseconds(300));
}

TEST_F(ResumingSourceTest, OtherErrorsAreFinal) {
  source_.script = {{0, absl::NotFoundError("no such file")}};

  EXPECT_THAT(Fetch(0), StatusIs(absl::StatusCode::kNotFound, "no such file"));

  EXPECT_THAT(source_.offsets, SizeIs(1));
}

TEST_F(ResumingSourceTest, TheSinksErrorIsFinalWhateverItsCode) {
  const absl::Status status = resuming_.Fetch(
      "digest", 0,
      [](std::string_view) { return absl::UnavailableError("the sink's"); });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "the sink's"));
  EXPECT_THAT(source_.offsets, SizeIs(1));
}

TEST_F(ResumingSourceTest, StopEndsTheWaitAndReachesTheSource) {
  FakeClock blocking(FakeClock::Mode::kWaitsBlock);
  ResumingSource resuming(source_, {}, blocking);
  source_.script = {{0, kAway}};
  absl::Status status;
  std::thread fetching([&] {
    status = resuming.Fetch("digest", 0,
                            [](std::string_view) { return absl::OkStatus(); });
  });
  blocking.AwaitWaiters(1);

  resuming.Stop();
  fetching.join();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(source_.stopped);
}

}  // namespace
}  // namespace tessera::worker

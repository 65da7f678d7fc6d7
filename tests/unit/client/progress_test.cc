#include "client/progress.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/fake_service.h"
#include "tests/unit/client/instant_clock.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Job Running(int64_t done) {
  return MakeJob(v1::JOB_STATE_RUNNING, done, 48);
}

int Lines(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

TEST(RateEstimateTest, DividesWhatEndedByTheTimeObserved) {
  RateEstimate rate;
  const absl::Time start = absl::FromUnixSeconds(100);
  EXPECT_EQ(rate.PerSecond(), 0);

  rate.Observe(10, start);
  EXPECT_EQ(rate.PerSecond(), 0);

  rate.Observe(30, start + absl::Seconds(10));
  EXPECT_DOUBLE_EQ(rate.PerSecond(), 2);
}

TEST(ShortDurationTest, UsesTheTwoLargestUnits) {
  EXPECT_EQ(ShortDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(1200)), "2s");
  EXPECT_EQ(ShortDuration(absl::Seconds(200)), "3m20s");
  EXPECT_EQ(ShortDuration(absl::Minutes(125)), "2h05m");
  EXPECT_EQ(ShortDuration(absl::InfiniteDuration()), "2400h00m");
}

TEST(FormatBarTest, ShowsShareCountsRateAndEta) {
  const std::string bar = FormatBar(Running(12), 1.5, 60);

  EXPECT_THAT(bar, HasSubstr(" 12/48  1.50/s  ETA 24s"));
  EXPECT_EQ(bar.front(), '[');
  const auto filled = std::count(bar.begin(), bar.end(), '#');
  const auto empty = std::count(bar.begin(), bar.end(), '-');
  EXPECT_NEAR(static_cast<double>(filled) / (filled + empty), 0.25, 0.05);
  EXPECT_LE(bar.size(), 60u);
}

TEST(FormatBarTest, HidesWhatIsUnknownAndShowsFailures) {
  v1::Job job = Running(0);
  EXPECT_THAT(FormatBar(job, 0, 80), Not(HasSubstr("ETA")));

  job.mutable_images()->set_failed(3);
  EXPECT_THAT(FormatBar(job, 0, 80), HasSubstr("3 failed"));
}

TEST(FormatBarTest, SurvivesAnEmptyJobAndANarrowTerminal) {
  EXPECT_THAT(FormatBar(v1::Job(), 0, 1), HasSubstr("0/0"));
  EXPECT_THAT(FormatBar(Running(48), 9, 1), HasSubstr("##########"));
}

TEST(FormatSummaryTest, TellsHowTheJobEnded) {
  v1::Job job = MakeJob(v1::JOB_STATE_CANCELLED, 10, 48);
  job.mutable_images()->set_cancelled(38);
  job.set_message("asked to");

  EXPECT_EQ(FormatSummary(job),
            "job-1: CANCELLED, 10 of 48 pictures, 38 cancelled in /out "
            "(asked to)");
}

TEST(ProgressTest, LinesComeEveryFewSecondsAndAtTheEnd) {
  InstantClock clock;
  std::ostringstream out;
  Progress progress(ProgressStyle::kLines, 80, out, clock);

  for (int i = 0; i <= 40; ++i) {
    progress.Show(Running(i));
    clock.Advance(absl::Milliseconds(250));
  }
  const int during = Lines(out.str());
  progress.Show(MakeJob(v1::JOB_STATE_SUCCEEDED, 48, 48));

  EXPECT_GE(during, 3);
  EXPECT_LE(during, 5);
  EXPECT_EQ(Lines(out.str()), during + 1);
  EXPECT_THAT(out.str(), HasSubstr("SUCCEEDED 48/48 done"));
}

TEST(ProgressTest, WarningIsSaidOnceAtOnce) {
  InstantClock clock;
  std::ostringstream out;
  Progress progress(ProgressStyle::kLines, 80, out, clock);
  v1::Job job = Running(1);
  job.add_warnings("half a LoRA");

  progress.Show(Running(0));
  progress.Show(job);
  progress.Show(job);

  EXPECT_THAT(out.str(), HasSubstr("warning: half a LoRA\n"));
  EXPECT_EQ(Lines(out.str()), 2);
}

TEST(ProgressTest, WhyAJobWaitsIsSaidWhenItChanges) {
  InstantClock clock;
  std::ostringstream out;
  Progress progress(ProgressStyle::kLines, 80, out, clock);
  v1::Job job = MakeJob(v1::JOB_STATE_SEALING, 48, 48);
  job.set_message("the manifest cannot be written: disk full");

  for (int i = 0; i < 3; ++i) progress.Show(job);
  job.set_message("the folder is gone");
  progress.Show(job);

  EXPECT_EQ(Lines(out.str()), 3);
  EXPECT_THAT(out.str(), HasSubstr("disk full\n"));
  EXPECT_THAT(out.str(), HasSubstr("the folder is gone\n"));
}

TEST(ProgressTest, BarIsDrawnInPlace) {
  InstantClock clock;
  std::ostringstream out;
  Progress progress(ProgressStyle::kBar, 60, out, clock);

  progress.Show(Running(1));
  clock.Advance(absl::Seconds(1));
  progress.Show(Running(2));
  EXPECT_EQ(Lines(out.str()), 0);

  progress.End();
  progress.End();
  EXPECT_EQ(Lines(out.str()), 1);
}

TEST(ProgressTest, JsonGivesOneObjectPerChange) {
  InstantClock clock;
  std::ostringstream out;
  Progress progress(ProgressStyle::kJson, 0, out, clock);

  progress.Show(Running(1));
  progress.Show(Running(1));
  progress.Show(Running(2));

  EXPECT_EQ(Lines(out.str()), 2);
  EXPECT_THAT(out.str(), HasSubstr(R"("done":2)"));
}

TEST(ProgressTest, AbsenceOfTheServiceIsSaidOnce) {
  InstantClock clock;
  std::ostringstream out;
  Progress progress(ProgressStyle::kLines, 80, out, clock);

  for (int i = 0; i < 5; ++i) {
    progress.ShowAway(absl::UnavailableError("connection refused"));
  }
  EXPECT_EQ(Lines(out.str()), 1);

  progress.Show(Running(1));
  progress.ShowAway(absl::UnavailableError("connection refused"));
  EXPECT_EQ(Lines(out.str()), 3);
}

}  // namespace
}  // namespace tessera::client

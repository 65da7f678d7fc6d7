#include "coordinator/scheduler.h"

#include <vector>

#include "coordinator/rate_meter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::Optional;

TEST(SchedulerTest, NoCandidateNoJob) { EXPECT_EQ(PickJob({}), std::nullopt); }

TEST(SchedulerTest, OldestOfUnservedJobsComesFirst) {
  EXPECT_THAT(PickJob({{.number = 2}, {.number = 1}}), Optional(1));
}

TEST(SchedulerTest, FewestLeasesComeFirst) {
  EXPECT_THAT(PickJob({{.number = 1, .leases = 3}, {.number = 2, .leases = 1}}),
              Optional(1));
}

TEST(SchedulerTest, SmallJobIsServedEverySecondTimeByASingleWorker) {
  std::vector<JobCandidate> jobs = {{.number = 1}, {.number = 2}};
  std::vector<int64_t> served;
  for (int64_t grant = 1; grant <= 6; ++grant) {
    JobCandidate& job = jobs[*PickJob(jobs)];
    job.last_grant = grant;  // and its lease ends at once
    served.push_back(job.number);
  }

  EXPECT_THAT(served, ::testing::ElementsAre(1, 2, 1, 2, 1, 2));
}

TEST(RateMeterTest, CountsTheLastMinute) {
  const absl::Time start = absl::FromUnixSeconds(1000);
  RateMeter meter;
  EXPECT_EQ(meter.PerSecond(start), 0);

  meter.Add(start, 30);
  EXPECT_DOUBLE_EQ(meter.PerSecond(start + absl::Seconds(10)), 3);
  meter.Add(start + absl::Seconds(30), 60);
  EXPECT_DOUBLE_EQ(meter.PerSecond(start + absl::Seconds(30)), 3);
  EXPECT_DOUBLE_EQ(meter.PerSecond(start + absl::Seconds(80)), 1);
  EXPECT_EQ(meter.PerSecond(start + absl::Minutes(5)), 0);
}

TEST(RateMeterTest, FirstSecondIsNoInfiniteRate) {
  const absl::Time start = absl::FromUnixSeconds(1000);
  RateMeter meter;
  meter.Add(start, 4);

  EXPECT_DOUBLE_EQ(meter.PerSecond(start), 4);
}

}  // namespace
}  // namespace tessera::coordinator

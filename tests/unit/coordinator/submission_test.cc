// Creating, following and listing jobs.
#include <filesystem>

#include "coordinator/store/memory_job_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"
#include "tests/unit/coordinator/failing_job_store.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SubmissionTest : public ::testing::Test {
 protected:
  Coordinator& coordinator() { return harness_.coordinator(); }

  CoordinatorHarness harness_;
};

TEST_F(SubmissionTest, AcceptedJobIsQueuedWithItsCounts) {
  const JobId id = harness_.Submit({MakeDraft(0, 4, 1), MakeDraft(4, 3, 1)});

  const Job job = harness_.Get(id);
  EXPECT_EQ(job.state, JobState::kQueued);
  EXPECT_EQ(job.images, (ImageCounts{.total = 7}));
  EXPECT_EQ(job.lines, 7);
  EXPECT_EQ(job.shards, 2);
  EXPECT_EQ(job.create_time, harness_.clock().Now());
  EXPECT_EQ(harness_.work_calls(), 1);
  EXPECT_TRUE(std::filesystem::is_directory(harness_.folder() / "out1"));
}

TEST_F(SubmissionTest, UnknownJobIsNotFound) {
  EXPECT_THAT(coordinator().GetJob(JobId("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  EXPECT_THAT(coordinator().CancelJob(JobId("none")),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(coordinator().ListImages(JobId("none"), 0, 1),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SubmissionTest, JobWithoutPromptsIsRefused) {
  const JobId id = coordinator().BeginJob(harness_.Header("out"))->id;

  EXPECT_THAT(coordinator().FinishJob(id, 0),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SubmissionTest, HalfMadeJobIsInvisibleToWorkersAndGoneAfterARestart) {
  const JobId id = coordinator().BeginJob(harness_.Header("out"))->id;
  ASSERT_THAT(coordinator().AddShards(id, {MakeDraft(0, 1, 1)}), IsOk());
  EXPECT_TRUE(std::holds_alternative<CarryOn>(harness_.Idle("ann").desired));

  harness_.Restart();

  EXPECT_THAT(coordinator().GetJob(id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(harness_.store().LoadJobs(), IsOkAndHolds(IsEmpty()));
}

TEST_F(SubmissionTest, AbortDropsAHalfMadeJobOnly) {
  const JobId half = coordinator().BeginJob(harness_.Header("half"))->id;
  const JobId whole = harness_.Submit({MakeDraft(0, 1, 1)});

  EXPECT_THAT(coordinator().AbortJob(half), IsOk());
  EXPECT_THAT(coordinator().AbortJob(half), IsOk());
  EXPECT_THAT(coordinator().AbortJob(whole),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(coordinator().AddShards(whole, {MakeDraft(0, 1, 1)}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(std::filesystem::exists(harness_.folder() / "half"));
}

TEST_F(SubmissionTest, RequestIdReturnsTheFirstJob) {
  JobHeader header = harness_.Header("out");
  header.request_id = "once";
  const JobId first = harness_.Submit(header, {MakeDraft(0, 1, 1)});

  const auto again = coordinator().BeginJob(header);

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->id, first);
  EXPECT_TRUE(again->existing.has_value());
}

TEST_F(SubmissionTest, SlowerOfTwoEqualRequestsIsDropped) {
  JobHeader header = harness_.Header("out");
  header.request_id = "once";
  const JobId slow = coordinator().BeginJob(header)->id;
  ASSERT_THAT(coordinator().AddShards(slow, {MakeDraft(0, 1, 1)}), IsOk());
  const JobId fast = harness_.Submit(header, {MakeDraft(0, 1, 1)});

  ::testing::internal::CaptureStderr();
  const auto finished = coordinator().FinishJob(slow, 1);
  const std::string log = ::testing::internal::GetCapturedStderr();

  ASSERT_THAT(finished, IsOk());
  EXPECT_EQ(finished->id, fast);
  EXPECT_THAT(harness_.store().LoadJobs(), IsOkAndHolds(SizeIs(1)));
  // The log counts jobs: one line an accepted job.
  EXPECT_THAT(log, Not(HasSubstr("job accepted")));
  EXPECT_THAT(log, HasSubstr(slow.value()));
}

TEST_F(SubmissionTest, FolderOfAnActiveJobIsRefused) {
  const JobId first =
      harness_.Submit(harness_.Header("out"), {MakeDraft(0, 1, 1)});

  EXPECT_THAT(coordinator().BeginJob(harness_.Header("out/")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(first.value())));
}

TEST_F(SubmissionTest, PagesRunFromTheNewestToTheOldest) {
  std::vector<JobId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(harness_.Submit({MakeDraft(0, 1, 1)}));
  }

  std::vector<JobId> listed;
  int64_t before = 0;
  do {
    const auto page = coordinator().ListJobs(before, 2);
    ASSERT_THAT(page, IsOk());
    for (const Job& job : page->jobs) listed.push_back(job.id);
    before = page->next;
  } while (before != 0);

  EXPECT_THAT(listed,
              ::testing::ElementsAre(ids[4], ids[3], ids[2], ids[1], ids[0]));
}

TEST_F(SubmissionTest, JobThatNobodyCanServeSaysSo) {
  const JobId id = harness_.Submit({MakeDraft(0, 1, 1)});
  EXPECT_THAT(harness_.Get(id).message, HasSubstr("no live worker"));

  harness_.Take("ann");

  EXPECT_EQ(harness_.Get(id).message, "");
}

TEST(FullDiskTest, NothingIsAcknowledgedThatWasNotStored) {
  FailingJobStore store;
  testing::FakeClock clock;
  testing::TemporaryFolder folder;
  const TextTaskReader reader;
  const auto coordinator =
      Coordinator::Open({}, clock, store, reader, [] {}).value();
  const JobHeader header{.model = "emoji", .output_uri = folder / "out"};
  const JobId id = coordinator->BeginJob(header)->id;
  ASSERT_THAT(coordinator->AddShards(id, {MakeDraft(0, 1, 1)}), IsOk());

  store.FailCommits(absl::ResourceExhaustedError("disk full"));
  EXPECT_THAT(coordinator->AddShards(id, {MakeDraft(1, 1, 1)}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(coordinator->FinishJob(id, 2),
              StatusIs(absl::StatusCode::kResourceExhausted));
  store.FailCommits(absl::OkStatus());

  const auto job = coordinator->FinishJob(id, 1);
  ASSERT_THAT(job, IsOk());
  EXPECT_EQ(job->shards, 1);
  EXPECT_EQ(job->images.total, 1);
}

}  // namespace
}  // namespace tessera::coordinator

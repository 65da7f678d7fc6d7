// Failing pictures, poisonous shards, failure budgets and cancelling.
#include <variant>

#include "coordinator/retry_policy.h"
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::VariantWith;

class FailureTest : public ::testing::Test {
 protected:
  CoordinatorHarness harness_;
};

TEST_F(FailureTest, BadPictureFailsAlone) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakeFailure(1, "INTERNAL")}, true),
              IsOk());

  const Assignment rest = harness_.Take("ann");
  EXPECT_THAT(rest.finished_tasks, ElementsAre(1));
  ASSERT_THAT(harness_.Finish("ann", rest), IsOk());

  const Job job = harness_.Get(id);
  EXPECT_EQ(job.images, (ImageCounts{.total = 3, .done = 2, .failed = 1}));
  EXPECT_EQ(job.outcome, JobState::kSucceeded);
}

TEST_F(FailureTest, WarningsOfPicturesAreTheJobsEachOnce) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 1)});
  const Assignment assignment = harness_.Take("ann");
  const ShardId shard = assignment.lease.shard;
  TaskResult first = MakePicture(shard, 0, "ann", "a");
  first.warnings = {"half a LoRA"};
  TaskResult second = MakePicture(shard, 1, "ann", "b");
  second.warnings = {"half a LoRA", "another"};

  ASSERT_THAT(harness_.Commit("ann", assignment.lease, {first}, false), IsOk());
  ASSERT_THAT(harness_.Commit("ann", assignment.lease, {second}, true), IsOk());
  harness_.Restart();

  EXPECT_THAT(harness_.Get(id).warnings, ElementsAre("half a LoRA", "another"));
}

TEST_F(FailureTest, PassingFailureIsTriedUnderThreeLeases) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  for (int attempt = 1; attempt <= kMaxTaskAttempts; ++attempt) {
    EXPECT_EQ(harness_.Get(id).images.failed, 0);
    const Assignment assignment = harness_.Take("ann");
    EXPECT_EQ(assignment.lease.epoch, attempt);
    std::vector<TaskResult> results = {MakeFailure(0, "UNAVAILABLE")};
    if (attempt == 1) {
      results.push_back(MakePicture(assignment.lease.shard, 1, "ann", "x"));
    }
    // The repeat of a lost answer is no second attempt.
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT(harness_.Commit("ann", assignment.lease, results, false),
                  IsOkAndHolds(IsEmpty()));
    }
  }

  EXPECT_EQ(harness_.Get(id).images,
            (ImageCounts{.total = 2, .done = 1, .failed = 1}));
  EXPECT_EQ(harness_.Get(id).state, JobState::kSealing);
}

TEST_F(FailureTest, PassingFailureLeavesOtherTasksToTheLease) {
  harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakeFailure(0, "UNAVAILABLE")}, false),
              IsOk());

  EXPECT_THAT(harness_.Execute("ann", assignment.lease).desired,
              VariantWith<CarryOn>(::testing::_));
}

TEST_F(FailureTest, PoisonousPictureFailsAloneAfterTenLostWorkers) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 1)});
  int lost = 0;
  std::vector<bool> isolated;
  // Task 1 kills whoever makes it together with others, or comes to it.
  while (harness_.Get(id).images.failed == 0 && lost < 50) {
    const std::string worker = "worker-" + std::to_string(lost);
    const Assignment assignment = harness_.Take(worker);
    isolated.push_back(assignment.isolate);
    if (assignment.isolate && assignment.finished_tasks.empty()) {
      ASSERT_THAT(
          harness_.Commit(worker, assignment.lease,
                          {MakePicture({id, 0}, 0, worker, "id0")}, false),
          IsOk());
    }
    harness_.ExpireLeases();
    ++lost;
  }

  EXPECT_EQ(isolated[0], false);
  EXPECT_EQ(isolated[2], true);
  EXPECT_EQ(lost, 2 + 10);
  const Assignment rest = harness_.Take("ann");
  EXPECT_THAT(rest.finished_tasks, ElementsAre(0, 1));
  EXPECT_TRUE(rest.isolate);
  ASSERT_THAT(harness_.Finish("ann", rest), IsOk());
  EXPECT_EQ(harness_.Get(id).images,
            (ImageCounts{.total = 3, .done = 2, .failed = 1}));
  const auto results = harness_.store().ReadResults({id, 0});
  EXPECT_EQ(std::get<TaskFailure>((*results)[1].outcome).code, "WORKER_LOST");
}

TEST_F(FailureTest, BudgetPassedFailsTheJob) {
  JobHeader header = harness_.Header("out");
  header.max_failed_images = 1;
  const JobId id =
      harness_.Submit(header, {MakeDraft(0, 3, 1), MakeDraft(3, 3, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakeFailure(0, "INTERNAL")}, false),
              IsOk());
  EXPECT_EQ(harness_.Get(id).state, JobState::kRunning);

  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakeFailure(1, "INTERNAL")}, false),
              IsOk());

  const Job job = harness_.Get(id);
  EXPECT_EQ(job.state, JobState::kSealing);
  EXPECT_EQ(job.outcome, JobState::kFailed);
  EXPECT_EQ(job.images, (ImageCounts{.total = 6, .failed = 2, .cancelled = 4}));
  EXPECT_THAT(job.message, HasSubstr("more pictures failed than allowed"));
  EXPECT_THAT(harness_.Execute("ann", assignment.lease).desired,
              VariantWith<Stop>(::testing::_));
}

TEST_F(FailureTest, BudgetPassedByTheVeryLastPictureFailsTheJobToo) {
  JobHeader header = harness_.Header("out");
  header.max_failed_images = 0;
  const JobId id = harness_.Submit(header, {MakeDraft(0, 1, 1)});
  const Assignment assignment = harness_.Take("ann");

  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakeFailure(0, "INTERNAL")}, true),
              IsOk());

  EXPECT_EQ(harness_.Get(id).outcome, JobState::kFailed);
}

TEST_F(FailureTest, NoCommitLandsAfterACancel) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  const TaskResult first = MakePicture({id, 0}, 0, "ann", "a");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease, {first}, false), IsOk());

  const auto cancelled = harness_.coordinator().CancelJob(id);

  ASSERT_THAT(cancelled, IsOk());
  EXPECT_EQ(cancelled->state, JobState::kSealing);
  EXPECT_EQ(cancelled->images,
            (ImageCounts{.total = 4, .done = 1, .cancelled = 3}));
  EXPECT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakePicture({id, 0}, 1, "ann", "b")}, false),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("SEALING")));
  EXPECT_THAT(harness_.Commit("ann", assignment.lease, {first}, false),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(harness_.Idle("bob").may_wait);
  EXPECT_THAT(harness_.coordinator().CancelJob(id), IsOk());
}

TEST_F(FailureTest, CancelWaitsForTheWorkerBeforeTheSeal) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.coordinator().CancelJob(id), IsOk());
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(0));

  EXPECT_THAT(harness_.Execute("ann", assignment.lease).desired,
              VariantWith<Stop>(::testing::_));
  harness_.Idle("ann");

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_EQ(harness_.Get(id).state, JobState::kCancelled);
}

TEST_F(FailureTest, CancelDoesNotWaitForALostWorker) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  harness_.Take("ann");
  ASSERT_THAT(harness_.coordinator().CancelJob(id), IsOk());

  harness_.ExpireLeases();

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_EQ(harness_.Get(id).retries, 0);
}

TEST_F(FailureTest, CancelWaitsForTheWorkerAfterARestartToo) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.coordinator().CancelJob(id), IsOk());

  harness_.Restart();

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(0));
  EXPECT_THAT(harness_.Execute("ann", assignment.lease).desired,
              VariantWith<Stop>(::testing::_));
  // The worker is free for other work, which the wait does not see.
  harness_.Submit({MakeDraft(0, 1, 1)});
  harness_.Take("ann");
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(0));
  harness_.ExpireLeases();
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_EQ(harness_.Get(id).state, JobState::kCancelled);
}

TEST_F(FailureTest, FinishedJobIsSealedAtOnceAfterARestart) {
  harness_.Submit({MakeDraft(0, 2, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());

  harness_.Restart();

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
}

TEST(FailedCommitTest, CancelStillWaitsForTheWorkerBeforeTheSeal) {
  FailingJobStore* store = nullptr;
  CoordinatorHarness harness([&](const std::string&) {
    auto made = std::make_unique<FailingJobStore>();
    store = made.get();
    return made;
  });
  const JobId id = harness.Submit({MakeDraft(0, 2, 1)});
  harness.Take("ann");
  ASSERT_THAT(harness.coordinator().CancelJob(id), IsOk());

  store->FailCommits(absl::ResourceExhaustedError("disk full"));
  EXPECT_THAT(harness.coordinator().BeginJob(harness.Header("other")),
              StatusIs(absl::StatusCode::kResourceExhausted));
  store->FailCommits(absl::OkStatus());

  EXPECT_THAT(harness.coordinator().SealDue(), IsOkAndHolds(0));
  harness.ExpireLeases();
  EXPECT_THAT(harness.coordinator().SealDue(), IsOkAndHolds(1));
}

TEST_F(FailureTest, FinishedJobCannotBeCancelled) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());

  EXPECT_THAT(harness_.coordinator().CancelJob(id),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace tessera::coordinator

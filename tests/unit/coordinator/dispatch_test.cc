// Leases: granting, renewing, losing, and commits under them.
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::VariantWith;

class DispatchTest : public ::testing::Test {
 protected:
  TaskResult Picture(const Assignment& assignment, int32_t task) {
    return MakePicture(assignment.lease.shard, task, "ann", "content");
  }

  CoordinatorHarness harness_;
};

TEST_F(DispatchTest, IdleWorkerGetsTheShardAndTheJobRuns) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});

  const Assignment assignment = harness_.Take("ann");

  EXPECT_EQ(assignment.lease, (Lease{{id, 0}, 1}));
  EXPECT_EQ(assignment.payload, MakeDraft(0, 2, 1).payload);
  EXPECT_EQ(assignment.model, "emoji");
  EXPECT_FALSE(assignment.isolate);
  EXPECT_EQ(harness_.Get(id).state, JobState::kRunning);
  const SynchronizeReply second = harness_.Idle("bob");
  EXPECT_TRUE(second.may_wait);
  EXPECT_THAT(second.desired, VariantWith<CarryOn>(::testing::_));
}

TEST_F(DispatchTest, LostAnswerIsGivenAgainWithTheSameEpoch) {
  harness_.Submit({MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  const Assignment first = harness_.Take("ann");

  const Assignment again = harness_.Take("ann");

  EXPECT_EQ(again.lease, first.lease);
}

TEST_F(DispatchTest, OldCallIsIgnored) {
  harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  harness_.Execute("ann", assignment.lease);

  // Reordered: an idle, draining call from before the assignment.
  const auto reply = harness_.coordinator().Synchronize(
      {.worker = WorkerId("ann"), .sequence = 1, .draining = true});

  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->desired, VariantWith<CarryOn>(::testing::_));
  EXPECT_THAT(
      harness_.Commit("ann", assignment.lease, {Picture(assignment, 0)}, false),
      IsOk());
}

TEST_F(DispatchTest, ModelThatTheWorkerLacksIsNotGiven) {
  JobHeader header = harness_.Header("out");
  header.model = "other";
  harness_.Submit(header, {MakeDraft(0, 2, 1)});

  EXPECT_TRUE(harness_.Idle("ann").may_wait);
}

TEST_F(DispatchTest, SynchronizingKeepsTheLease) {
  harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");

  for (int i = 0; i < 5; ++i) {
    harness_.clock().Advance(absl::Seconds(9));
    EXPECT_THAT(harness_.Execute("ann", assignment.lease).desired,
                VariantWith<CarryOn>(::testing::_));
    EXPECT_THAT(harness_.coordinator().Tick(), IsOkAndHolds(false));
  }
}

TEST_F(DispatchTest, StaleEpochIsAbortedAndChangesNothing) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment stale = harness_.Take("ann");
  harness_.ExpireLeases();
  const Assignment fresh = harness_.Take("bob");
  EXPECT_EQ(fresh.lease.epoch, stale.lease.epoch + 1);

  EXPECT_THAT(harness_.Commit("ann", stale.lease, {Picture(stale, 0)}, false),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(harness_.Execute("ann", stale.lease).desired,
              VariantWith<Stop>(::testing::_));
  EXPECT_THAT(harness_.Commit("bob", stale.lease, {Picture(stale, 0)}, false),
              StatusIs(absl::StatusCode::kAborted));

  EXPECT_EQ(harness_.Get(id).images.done, 0);
  EXPECT_EQ(harness_.Get(id).retries, 1);
  EXPECT_THAT(harness_.store().ReadResults({id, 0}), IsOkAndHolds(IsEmpty()));
}

TEST_F(DispatchTest, SameCommitTwiceIsFine) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  const std::vector<TaskResult> all = {Picture(assignment, 0),
                                       Picture(assignment, 1)};
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(harness_.Commit("ann", assignment.lease, {all[0]}, false),
                IsOkAndHolds(IsEmpty()));
  }
  EXPECT_EQ(harness_.Get(id).images.done, 1);

  // The last one ends the lease; its repeat is still recognised.
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(harness_.Commit("ann", assignment.lease, all, true),
                IsOkAndHolds(IsEmpty()));
  }
  EXPECT_EQ(harness_.Get(id).images.done, 2);
  EXPECT_EQ(harness_.Get(id).state, JobState::kSealing);
}

TEST_F(DispatchTest, DifferentDigestIsRecordedAndNeverOverwrites) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  const TaskResult first = Picture(assignment, 0);
  const TaskResult other =
      MakePicture(assignment.lease.shard, 0, "ann", "other content");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease, {first}, false), IsOk());

  EXPECT_THAT(harness_.Commit("ann", assignment.lease, {other}, false),
              IsOkAndHolds(ElementsAre(0)));

  EXPECT_THAT(harness_.store().ReadResults({id, 0}),
              IsOkAndHolds(ElementsAre(first)));
  EXPECT_THAT(harness_.store().CountConflicts(id), IsOkAndHolds(1));
}

TEST_F(DispatchTest, ResultsThatCannotBeAreRefused) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Lease lease = harness_.Take("ann").lease;
  TaskResult outside = MakePicture(lease.shard, 0, "ann", "x");
  for (const char* path :
       {"/etc/passwd", "images/../../x.png", "images/", "other/x.png", ""}) {
    std::get<ImageRecord>(outside.outcome).path = path;
    EXPECT_THAT(harness_.Commit("ann", lease, {outside}, false),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << path;
  }
  EXPECT_THAT(harness_.Commit("ann", lease,
                              {MakePicture(lease.shard, 0, "ann", "x"),
                               MakePicture(lease.shard, 2, "ann", "x")},
                              false),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(harness_.Get(id).images.done, 0);
}

TEST_F(DispatchTest, ReleaseHandsTheRestToAnotherWorker) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 1)});
  const Assignment first = harness_.Take("ann");
  ASSERT_THAT(harness_.Commit("ann", first.lease, {Picture(first, 1)}, true),
              IsOk());

  const Assignment second = harness_.Take("bob");

  EXPECT_EQ(second.lease.epoch, 2);
  EXPECT_THAT(second.finished_tasks, ElementsAre(1));
  EXPECT_EQ(harness_.Get(id).retries, 0);
  EXPECT_THAT(harness_.Finish("bob", second), IsOk());
  EXPECT_EQ(harness_.Get(id).images.done, 3);
}

TEST_F(DispatchTest, DrainingWorkerIsGivenNothingAndGivesBack) {
  harness_.Submit({MakeDraft(0, 3, 1)});
  harness_.Take("ann");  // the answer is lost; then the worker drains

  const auto reply = harness_.coordinator().Synchronize(
      {.worker = WorkerId("ann"), .sequence = 99, .draining = true});

  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->desired, VariantWith<CarryOn>(::testing::_));
  EXPECT_FALSE(reply->may_wait);
  EXPECT_EQ(harness_.Take("bob").lease.epoch, 2);
}

TEST_F(DispatchTest, WorkersAreSharedBetweenAHugeAndASmallJob) {
  std::vector<ShardDraft> many;
  for (int i = 0; i < 20; ++i) many.push_back(MakeDraft(i, 1, 1));
  harness_.Submit(std::move(many));
  const JobId small = harness_.Submit({MakeDraft(0, 1, 1)});

  harness_.Take("ann");

  EXPECT_EQ(harness_.Take("bob").lease.shard.job, small);
}

TEST_F(DispatchTest, RateCountsThePicturesOfTheLastMinute) {
  const JobId id = harness_.Submit({MakeDraft(0, 4, 1), MakeDraft(4, 4, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.Finish("ann", assignment), IsOk());
  harness_.clock().Advance(absl::Seconds(2));

  EXPECT_DOUBLE_EQ(harness_.Get(id).images_per_second, 2);
}

TEST_F(DispatchTest, RestartKeepsLeasesForAFullPeriod) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  harness_.clock().Advance(absl::Hours(5));

  harness_.Restart();

  EXPECT_THAT(harness_.coordinator().Tick(), IsOkAndHolds(false));
  EXPECT_TRUE(harness_.Idle("bob").may_wait);
  EXPECT_THAT(harness_.Execute("ann", assignment.lease).desired,
              VariantWith<CarryOn>(::testing::_));
  EXPECT_THAT(harness_.Finish("ann", assignment), IsOk());
  EXPECT_EQ(harness_.Get(id).images.done, 2);
}

TEST_F(DispatchTest, StatsTellWhatWaits) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 1), MakeDraft(3, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakePicture({id, 0}, 0, "ann", "a"),
                               MakeFailure(1, "INTERNAL")},
                              false),
              IsOk());

  const auto stats = harness_.coordinator().Stats();

  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->shards_waiting, 1);
  EXPECT_EQ(stats->images_waiting, 3);
}

}  // namespace
}  // namespace tessera::coordinator

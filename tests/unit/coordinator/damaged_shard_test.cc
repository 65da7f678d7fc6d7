// Shards whose stored prompts cannot be read.
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"
#include "tests/unit/coordinator/failing_job_store.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::VariantWith;

class DamagedShardTest : public ::testing::Test {
 protected:
  DamagedShardTest()
      : harness_([this](const std::string&) {
          auto store = std::make_unique<FailingJobStore>();
          store_ = store.get();
          return store;
        }) {}

  absl::StatusOr<SynchronizeReply> Ask(const std::string& worker,
                                       uint64_t sequence) {
    return harness_.coordinator().Synchronize({.worker = WorkerId(worker),
                                               .sequence = sequence,
                                               .info = {.models = {"emoji"}}});
  }

  // The values of `key` in a file of JSON lines.
  std::vector<nlohmann::json> Column(const std::string& name,
                                     const std::string& key) const {
    std::vector<nlohmann::json> values;
    std::istringstream lines(ReadText(harness_.folder() / ("out1/" + name)));
    for (std::string line; std::getline(lines, line);) {
      values.push_back(nlohmann::json::parse(line)[key]);
    }
    return values;
  }

  FailingJobStore* store_ = nullptr;
  CoordinatorHarness harness_;
};

TEST_F(DamagedShardTest, UnfinishedPicturesFailAndTheJobEnds) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  const Assignment first = harness_.Take("ann");
  ASSERT_THAT(harness_.Commit("ann", first.lease,
                              {MakePicture({id, 0}, 0, "ann", "a")}, true),
              IsOk());
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  store_->ReplacePayload({id, 0}, absl::DataLossError("malformed page"));

  const SynchronizeReply reply = harness_.Idle("ann");

  EXPECT_THAT(reply.desired, VariantWith<CarryOn>(::testing::_));
  EXPECT_EQ(reply.next_synchronization, absl::ZeroDuration());
  EXPECT_FALSE(reply.may_wait);
  EXPECT_EQ(harness_.Get(id).images,
            (ImageCounts{.total = 4, .done = 3, .failed = 1}));
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_EQ(harness_.Get(id).state, JobState::kSucceeded);
  EXPECT_THAT(Column("manifest.jsonl", "custom_id"),
              ElementsAre("task0", "id2", "id3"));
  EXPECT_THAT(Column("errors.jsonl", "code"), ElementsAre("DATA_LOSS"));
  EXPECT_THAT(Column("errors.jsonl", "line"), ElementsAre(0));
  const std::string reason = Column("errors.jsonl", "reason")[0];
  EXPECT_THAT(reason, HasSubstr("shard 0"));
  EXPECT_THAT(reason, HasSubstr("malformed page"));
}

TEST_F(DamagedShardTest, PayloadThatIsMissingOrHoldsOtherTasksIsDamaged) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  store_->ReplacePayload({id, 0}, absl::NotFoundError("unknown shard"));
  store_->ReplacePayload({id, 1}, std::string("2 id2 0\n"));

  harness_.Idle("ann");
  harness_.Idle("ann");

  EXPECT_EQ(harness_.Get(id).images, (ImageCounts{.total = 4, .failed = 4}));
  EXPECT_EQ(harness_.Get(id).state, JobState::kSealing);
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
}

TEST_F(DamagedShardTest, DamageCountsAgainstTheBudgetOfFailures) {
  JobHeader header = harness_.Header("out1");
  header.max_failed_images = 1;
  const JobId id =
      harness_.Submit(header, {MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  store_->ReplacePayload({id, 0}, absl::DataLossError("malformed page"));

  harness_.Idle("ann");

  EXPECT_EQ(harness_.Get(id).outcome, JobState::kFailed);
  EXPECT_EQ(harness_.Get(id).images,
            (ImageCounts{.total = 4, .failed = 2, .cancelled = 2}));
}

TEST_F(DamagedShardTest, PayloadUnreadableForAMomentGoesBackToTheQueue) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  store_->ReplacePayload({id, 0}, absl::UnavailableError("disk gone"));
  EXPECT_THAT(Ask("ann", 1),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk gone")));
  store_->RestorePayloads();

  const Assignment assignment = harness_.Take("bob");

  EXPECT_EQ(assignment.lease.epoch, 2);
  ASSERT_THAT(harness_.Finish("bob", assignment), IsOk());
  EXPECT_EQ(harness_.Get(id).images, (ImageCounts{.total = 2, .done = 2}));
  EXPECT_EQ(harness_.Get(id).retries, 0);
}

TEST_F(DamagedShardTest, DamageAfterTheLastPictureDoesNotStopTheSeal) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  store_->ReplacePayload({id, 0}, absl::DataLossError("malformed page"));

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_THAT(Column("manifest.jsonl", "custom_id"),
              ElementsAre("task0", "task1"));
  EXPECT_THAT(Column("errors.jsonl", "code"), IsEmpty());
}

TEST_F(DamagedShardTest, ResultWithoutATaskDoesNotStopTheSeal) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  store_->AddStray({id, 0}, MakePicture({id, 0}, 2, "ann", "stray"));

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_THAT(Column("manifest.jsonl", "custom_id"), ElementsAre("id0", "id1"));
}

TEST_F(DamagedShardTest, SealWaitsForPayloadsUnreadableForAMoment) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  store_->ReplacePayload({id, 0}, absl::UnavailableError("disk gone"));

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(0));

  EXPECT_THAT(harness_.Get(id).message, HasSubstr("disk gone"));
}

}  // namespace
}  // namespace tessera::coordinator

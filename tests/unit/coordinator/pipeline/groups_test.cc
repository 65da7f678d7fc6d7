#include "coordinator/pipeline/groups.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::HasSubstr;

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1);

// Groups of workers with the model "m", driven call by call.
class GroupsTest : public ::testing::Test {
 protected:
  static WorkerId Id(int worker) { return WorkerId(absl::StrCat("w", worker)); }

  void Offer(int worker, const std::string& version = "1") {
    groups_.Offer(Id(worker), {version, {"m"}, 4}, now_);
  }

  // A call of a member in its group.
  void Report(int worker, MemberState state, const std::string& digest = "d") {
    GroupReport report{
        .group = groups_.AssignmentOf(Id(worker))->group,
        .state = state,
        .address = absl::StrCat("address of ", Id(worker).value()),
        .model_digest = digest,
        .reason = "why"};
    for (int i = 0; i < 5; ++i) {
      report.pieces.push_back({.name = "p", .seconds = 1, .output_bytes = 1});
    }
    groups_.Hear(Id(worker), report, false, now_);
  }

  bool InGroup(int worker) const { return groups_.Contains(Id(worker)); }

  bool Expire() {
    return groups_.Expire(now_,
                          [this](const std::string&, int) { return wanted_; });
  }

  // Brings a group of two to life.
  void MakeReady() {
    Offer(1);
    Offer(2);
    ASSERT_TRUE(groups_.Form("m", 2, now_));
    for (const MemberState state :
         {MemberState::kJoined, MemberState::kReady}) {
      Report(1, state);
      Report(2, state);
    }
  }

  PipelineGroups groups_{GroupOptions{}};
  absl::Time now_ = kStart;
  bool wanted_ = true;
};

TEST_F(GroupsTest, FormsOnlyWhenAllAreThere) {
  Offer(1);
  EXPECT_FALSE(groups_.Form("m", 2, now_));
  EXPECT_FALSE(InGroup(1));

  Offer(2);
  EXPECT_FALSE(groups_.Form("other", 2, now_));
  EXPECT_TRUE(groups_.Form("m", 2, now_));

  EXPECT_EQ(groups_.AssignmentOf(Id(1))->rank, 0);
  EXPECT_EQ(groups_.AssignmentOf(Id(2))->rank, 1);
  EXPECT_TRUE(groups_.AssignmentOf(Id(1))->addresses.empty());
  // Nobody is in two groups.
  EXPECT_FALSE(groups_.Form("m", 2, now_));
}

TEST_F(GroupsTest, StaleOffersDoNotCount) {
  Offer(1);
  now_ += absl::Seconds(2);
  Offer(2);

  EXPECT_FALSE(groups_.Form("m", 2, now_));
}

TEST_F(GroupsTest, BuildsAreNotMixed) {
  Offer(1, "1");
  Offer(2, "2");
  EXPECT_FALSE(groups_.Form("m", 2, now_));

  Offer(3, "2");
  EXPECT_TRUE(groups_.Form("m", 2, now_));
  EXPECT_FALSE(InGroup(1));
}

TEST_F(GroupsTest, AddressesAreHandedOutWhenAllHaveJoined) {
  Offer(1);
  Offer(2);
  ASSERT_TRUE(groups_.Form("m", 2, now_));

  Report(2, MemberState::kJoined);
  EXPECT_TRUE(groups_.AssignmentOf(Id(2))->addresses.empty());
  Report(1, MemberState::kJoined);

  const auto assignment = groups_.AssignmentOf(Id(2));
  EXPECT_THAT(assignment->addresses,
              ::testing::ElementsAre("address of w1", "address of w2"));
  EXPECT_FALSE(assignment->segments.empty());
  EXPECT_EQ(groups_.StagesLedBy(Id(1), "m"), 0);
}

TEST_F(GroupsTest, FirstRankLeadsOnceAllAreReady) {
  MakeReady();

  EXPECT_EQ(groups_.StagesLedBy(Id(1), "m"), 2);
  EXPECT_EQ(groups_.StagesLedBy(Id(1), "other"), 0);
  EXPECT_EQ(groups_.StagesLedBy(Id(2), "m"), 0);
  EXPECT_EQ(groups_.counts().formed, 1);
}

TEST_F(GroupsTest, MemberThatFailsEndsItForAll) {
  MakeReady();
  Report(2, MemberState::kFailed);

  EXPECT_FALSE(InGroup(1));
  EXPECT_FALSE(InGroup(2));
  EXPECT_EQ(groups_.counts().ended.at("failed"), 1);
}

TEST_F(GroupsTest, MemberThatDrainsEndsItForAll) {
  MakeReady();
  groups_.Hear(Id(1), std::nullopt, true, now_);

  EXPECT_FALSE(InGroup(2));
}

TEST_F(GroupsTest, SilentMemberEndsItForAll) {
  MakeReady();
  now_ += absl::Seconds(2);
  Report(1, MemberState::kReady);
  EXPECT_FALSE(Expire());
  now_ += absl::Seconds(2);

  EXPECT_TRUE(Expire());
  EXPECT_FALSE(InGroup(1));
  EXPECT_EQ(groups_.counts().ended.at("lost"), 1);
}

TEST_F(GroupsTest, ReportOfAnOlderGroupChangesNothing) {
  MakeReady();
  groups_.Hear(Id(2),
               GroupReport{.group = "older", .state = MemberState::kFailed},
               false, now_);

  EXPECT_TRUE(InGroup(1));
}

TEST_F(GroupsTest, GroupThatDoesNotGetReadyIsGivenUp) {
  Offer(1);
  Offer(2);
  ASSERT_TRUE(groups_.Form("m", 2, now_));
  for (int second = 0; second < 310; ++second) {
    now_ += absl::Seconds(1);
    if (InGroup(1)) Report(1, MemberState::kJoined);
    if (InGroup(2)) Report(2, MemberState::kJoining);
    Expire();
  }

  EXPECT_FALSE(InGroup(1));
  EXPECT_EQ(groups_.counts().ended.at("timeout"), 1);
  EXPECT_THAT(groups_.Trouble("m"), HasSubstr("not ready in time"));
}

TEST_F(GroupsTest, UnlikeModelFilesAreRefusedByName) {
  Offer(1);
  Offer(2);
  ASSERT_TRUE(groups_.Form("m", 2, now_));
  Report(1, MemberState::kJoined, "aa");
  Report(2, MemberState::kJoined, "bb");

  EXPECT_FALSE(InGroup(1));
  EXPECT_THAT(groups_.Trouble("m"),
              AllOf(HasSubstr("aa on w1"), HasSubstr("bb on w2")));
}

TEST_F(GroupsTest, MoreStagesThanPiecesAreRefusedByName) {
  for (int worker = 1; worker <= 8; ++worker) Offer(worker);
  ASSERT_TRUE(groups_.Form("m", 8, now_));
  for (int worker = 1; worker <= 8; ++worker) {
    if (InGroup(worker)) Report(worker, MemberState::kJoined);
  }

  EXPECT_FALSE(InGroup(1));
  EXPECT_THAT(groups_.Trouble("m"), HasSubstr("more stages than pieces"));
}

TEST_F(GroupsTest, GroupThatNoJobNeedsIsDissolved) {
  MakeReady();
  wanted_ = false;

  EXPECT_TRUE(Expire());
  EXPECT_FALSE(InGroup(1));
}

}  // namespace
}  // namespace tessera::coordinator

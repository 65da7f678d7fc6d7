// Shards go where their LoRAs are.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Makes a shard of one picture that needs `loras`.
ShardDraft DraftWith(int64_t line, LoraSet loras) {
  ShardDraft draft = MakeDraft(line, 1, 1);
  draft.loras = std::move(loras);
  return draft;
}

class AffinityTest : public ::testing::Test {
 protected:
  // Asks for work as a worker whose node holds `loras`.
  Assignment TakeHolding(const std::string& worker,
                         std::vector<std::string> loras) {
    SynchronizeRequest request{
        .worker = WorkerId(worker),
        .sequence = ++sequence_,
        .info = {.models = {"emoji"}, .held_loras = std::move(loras)}};
    const auto reply = harness_.coordinator().Synchronize(request);
    EXPECT_THAT(reply, IsOk());
    if (!std::holds_alternative<Assignment>(reply->desired)) {
      ADD_FAILURE() << "no work for " << worker;
      return {};
    }
    return std::get<Assignment>(reply->desired);
  }

  CoordinatorHarness harness_;
  uint64_t sequence_ = 100;
};

TEST_F(AffinityTest, AWorkerGetsTheShardWhoseLorasItHolds) {
  harness_.Submit(
      {DraftWith(0, {"a"}), DraftWith(1, {"b"}), DraftWith(2, {"a", "b"})});

  EXPECT_EQ(TakeHolding("ann", {"b"}).lease.shard.index, 1);
  EXPECT_EQ(TakeHolding("bob", {"b", "a"}).lease.shard.index, 0);
  EXPECT_EQ(TakeHolding("cy", {"c"}).lease.shard.index, 2);
}

TEST_F(AffinityTest, AWorkerWithoutAnythingTakesWhatNobodyHolds) {
  harness_.Submit(
      {DraftWith(0, {"a"}), DraftWith(1, {"a"}), DraftWith(2, {"b"})});
  ASSERT_EQ(TakeHolding("ann", {"a"}).lease.shard.index, 0);

  EXPECT_EQ(TakeHolding("bob", {}).lease.shard.index, 2);
}

TEST_F(AffinityTest, AnAssignmentNamesWhatTheNextShardNeeds) {
  harness_.Submit({DraftWith(0, {"a"}), DraftWith(1, {"b", "c"})});

  EXPECT_THAT(TakeHolding("ann", {"c"}).prefetch_loras, ElementsAre("b"));
}

TEST_F(AffinityTest, NothingIsNamedWhileTheSameSetWaits) {
  harness_.Submit(
      {DraftWith(0, {"a"}), DraftWith(1, {"b"}), DraftWith(2, {"a"})});

  EXPECT_THAT(TakeHolding("ann", {}).prefetch_loras, IsEmpty());
}

TEST_F(AffinityTest, ARestartForgetsNoSet) {
  harness_.Submit({DraftWith(0, {"a"}), DraftWith(1, {"b"})});
  harness_.Restart();

  EXPECT_EQ(TakeHolding("ann", {"b"}).lease.shard.index, 1);
}

TEST_F(AffinityTest, AReturnedShardKeepsItsSet) {
  harness_.Submit({DraftWith(0, {"a"}), DraftWith(1, {"b"})});
  const Assignment first = TakeHolding("ann", {"a"});
  ASSERT_THAT(harness_.Commit("ann", first.lease, {}, /*release=*/true),
              IsOk());

  EXPECT_EQ(TakeHolding("bob", {"a"}).lease.shard.index, 0);
}

TEST_F(AffinityTest, ALostWorkerKeepsNothingForItself) {
  harness_.Submit(
      {DraftWith(0, {"a"}), DraftWith(1, {"b"}), DraftWith(2, {"a"})});
  ASSERT_EQ(TakeHolding("ann", {"b"}).lease.shard.index, 1);
  ASSERT_EQ(TakeHolding("cy", {"a"}).lease.shard.index, 0);
  harness_.ExpireLeases();

  // Nobody who lives holds a: it is as good as the rest, and the oldest.
  EXPECT_EQ(TakeHolding("bob", {}).lease.shard.index, 2);
}

}  // namespace
}  // namespace tessera::coordinator

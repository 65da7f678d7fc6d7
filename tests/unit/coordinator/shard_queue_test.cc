#include "coordinator/shard_queue.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

bool Nobody(const LoraSet&) { return false; }

// Takes every shard for a worker that holds the same throughout.
std::vector<int64_t> Drain(ShardQueue& queue, const HeldLoras& held) {
  std::vector<int64_t> shards;
  while (const auto shard = queue.Pop(held, Nobody)) shards.push_back(*shard);
  return shards;
}

TEST(ShardQueueTest, WithoutLorasIsAQueue) {
  ShardQueue queue;
  for (int64_t shard : {4, 2, 9}) queue.Push(shard, {});

  EXPECT_EQ(queue.size(), 3);
  EXPECT_THAT(Drain(queue, {}), ElementsAre(4, 2, 9));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Pop({}, Nobody), std::nullopt);
}

TEST(ShardQueueTest, PrefersTheSetThatTheWorkerHolds) {
  ShardQueue queue;
  queue.Push(0, {"a"});
  queue.Push(1, {"b"});
  queue.Push(2, {"b"});

  EXPECT_THAT(Drain(queue, {"b"}), ElementsAre(1, 2, 0));
}

TEST(ShardQueueTest, AmongHeldSetsTheOldestShardGoesFirst) {
  ShardQueue queue;
  queue.Push(0, {"c"});
  queue.Push(1, {"b"});
  queue.Push(2, {"a"});
  queue.Push(3, {"b"});

  EXPECT_THAT(Drain(queue, {"a", "b"}), ElementsAre(1, 2, 3, 0));
}

TEST(ShardQueueTest, AShardWithoutLorasSuitsEveryone) {
  ShardQueue queue;
  queue.Push(0, {"c"});
  queue.Push(1, {});
  queue.Push(2, {"a"});

  EXPECT_THAT(Drain(queue, {"a"}), ElementsAre(1, 2, 0));
}

TEST(ShardQueueTest, HoldingPartOfASetIsNotHoldingIt) {
  ShardQueue queue;
  queue.Push(0, {"c"});
  queue.Push(1, {"a", "b"});
  queue.Push(2, {"a"});

  EXPECT_THAT(queue.Pop({"a"}, Nobody), Optional(2));
  EXPECT_THAT(queue.Pop({"a"}, Nobody), Optional(0));
  EXPECT_THAT(queue.Pop({"a", "b"}, Nobody), Optional(1));
}

TEST(ShardQueueTest, LeavesToOthersWhatTheyHold) {
  ShardQueue queue;
  queue.Push(0, {"a"});
  queue.Push(1, {"b"});
  const auto a_is_held = [](const LoraSet& set) { return set == LoraSet{"a"}; };

  EXPECT_THAT(queue.Pop({}, a_is_held), Optional(1));
  EXPECT_THAT(queue.Pop({}, a_is_held), Optional(0));
}

TEST(ShardQueueTest, LooksOnlySoFarAhead) {
  ShardQueue queue({.max_bypasses = 100, .look_ahead = 2});
  queue.Push(0, {"a"});
  queue.Push(1, {"b"});
  queue.Push(2, {"c"});
  const auto held = [](const LoraSet& set) { return set != LoraSet{"c"}; };

  EXPECT_THAT(queue.Pop({}, held), Optional(0));
}

TEST(ShardQueueTest, TheOldestShardIsPassedOverSoOftenAndNoMore) {
  ShardQueue queue({.max_bypasses = 3, .look_ahead = 8});
  queue.Push(100, {"rare"});
  for (int64_t shard = 0; shard < 10; ++shard) queue.Push(shard, {"popular"});

  EXPECT_THAT(Drain(queue, {"popular"}),
              ElementsAre(0, 1, 2, 100, 3, 4, 5, 6, 7, 8, 9));
}

TEST(ShardQueueTest, EveryShardIsTakenWithinABoundedNumberOfGrants) {
  constexpr int64_t kBypasses = 5, kShards = 200;
  ShardQueue queue({.max_bypasses = kBypasses, .look_ahead = 4});
  for (int64_t shard = 0; shard < kShards; ++shard) {
    queue.Push(shard, {std::string(1, static_cast<char>('a' + shard % 7))});
  }

  const std::vector<int64_t> taken = Drain(queue, {"g"});

  ASSERT_EQ(taken.size(), size_t{kShards});
  for (size_t at = 0; at < taken.size(); ++at) {
    EXPECT_LE(static_cast<int64_t>(at), (taken[at] + 1) * (kBypasses + 1));
  }
}

TEST(ShardQueueTest, AReturnedShardGoesToTheEnd) {
  ShardQueue queue;
  queue.Push(0, {"a"});
  queue.Push(1, {"a"});
  ASSERT_THAT(queue.Pop({"a"}, Nobody), Optional(0));

  queue.Push(0, {"a"});

  EXPECT_THAT(Drain(queue, {"a"}), ElementsAre(1, 0));
}

TEST(ShardQueueTest, NamesWhatTheNextShardWillNeed) {
  ShardQueue queue;
  queue.Push(0, {"a", "b"});

  EXPECT_THAT(queue.LikelyNext({}, Nobody), ElementsAre("a", "b"));
  EXPECT_THAT(queue.LikelyNext({"a"}, Nobody), ElementsAre("b"));
  EXPECT_THAT(queue.LikelyNext({"a", "b"}, Nobody), IsEmpty());
  EXPECT_EQ(queue.size(), 1);
  queue.clear();
  EXPECT_THAT(queue.LikelyNext({}, Nobody), IsEmpty());
}

TEST(ShardQueueTest, NothingIsFetchedWhileHeldSetsWait) {
  ShardQueue queue;
  queue.Push(0, {"a"});
  queue.Push(1, {"b"});

  EXPECT_THAT(queue.LikelyNext({"b"}, Nobody), IsEmpty());
}

}  // namespace
}  // namespace tessera::coordinator

#include "coordinator/sharder.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ImageTask Task(int64_t line, int width = 64, std::vector<LoraUse> loras = {}) {
  ImageTask task;
  task.line = line;
  task.width = width;
  task.height = 64;
  task.loras = std::move(loras);
  return task;
}

std::vector<int64_t> Lines(const ShardTasks& shard) {
  std::vector<int64_t> lines;
  for (const ImageTask& task : shard) lines.push_back(task.line);
  return lines;
}

std::vector<ShardTasks> ShardAll(const SharderOptions& options,
                                 std::vector<ImageTask> tasks) {
  Sharder sharder(options);
  std::vector<ShardTasks> shards;
  for (ImageTask& task : tasks) {
    for (ShardTasks& shard : sharder.Add(std::move(task))) {
      shards.push_back(std::move(shard));
    }
  }
  for (ShardTasks& shard : sharder.Finish()) shards.push_back(std::move(shard));
  return shards;
}

TEST(SharderTest, CutsAtTheShardSizeAndKeepsTheRest) {
  std::vector<ImageTask> tasks;
  for (int i = 0; i < 7; ++i) tasks.push_back(Task(i));

  const auto shards = ShardAll({.shard_size = 3}, std::move(tasks));

  ASSERT_THAT(shards, SizeIs(3));
  EXPECT_THAT(Lines(shards[0]), ElementsAre(0, 1, 2));
  EXPECT_THAT(Lines(shards[1]), ElementsAre(3, 4, 5));
  EXPECT_THAT(Lines(shards[2]), ElementsAre(6));
}

TEST(SharderTest, KeepsSizesAndLoraSetsApart) {
  const auto shards = ShardAll(
      {.shard_size = 64},
      {Task(0), Task(1, 128), Task(2), Task(3, 64, {{"ink", 1}}),
       Task(4, 64, {{"ink", 0.5f}}), Task(5, 64, {{"pixel", 1}, {"ink", 1}}),
       Task(6, 64, {{"ink", 1}, {"pixel", 1}})});

  ASSERT_THAT(shards, SizeIs(4));
  EXPECT_THAT(Lines(shards[0]), ElementsAre(0, 2));
  EXPECT_THAT(Lines(shards[1]), ElementsAre(1));
  EXPECT_THAT(Lines(shards[2]), ElementsAre(3, 4));  // scales may differ
  EXPECT_THAT(Lines(shards[3]), ElementsAre(5, 6));  // order does not matter
}

TEST(SharderTest, KeepsVersionsOfALoraApart) {
  const auto shards =
      ShardAll({.shard_size = 64}, {Task(0, 64, {{"ink", 1, "aa"}}),
                                    Task(1, 64, {{"ink", 1, "bb"}}),
                                    Task(2, 64, {{"ink", 1, "aa"}})});

  ASSERT_THAT(shards, SizeIs(2));
  EXPECT_THAT(Lines(shards[0]), ElementsAre(0, 2));
  EXPECT_THAT(Lines(shards[1]), ElementsAre(1));
}

TEST(SharderTest, CutsTheFullestGroupWhenTooManyAreOpen) {
  Sharder sharder({.shard_size = 64, .max_open_groups = 2});
  EXPECT_THAT(sharder.Add(Task(0, 64)), IsEmpty());
  EXPECT_THAT(sharder.Add(Task(1, 128)), IsEmpty());
  EXPECT_THAT(sharder.Add(Task(2, 128)), IsEmpty());

  const auto shards = sharder.Add(Task(3, 192));

  ASSERT_THAT(shards, SizeIs(1));
  EXPECT_THAT(Lines(shards[0]), ElementsAre(1, 2));
  EXPECT_THAT(sharder.Finish(), SizeIs(2));
}

TEST(SharderTest, CutsShardsThatGrowTooHeavy) {
  SharderOptions options{.shard_size = 65536};
  options.max_shard_bytes = 10'000;
  std::vector<ImageTask> tasks;
  for (int i = 0; i < 20; ++i) {
    tasks.push_back(Task(i));
    tasks.back().prompt = std::string(4'000, 'p');
  }

  const auto shards = ShardAll(options, std::move(tasks));

  ASSERT_GT(shards.size(), 5u);
  for (const ShardTasks& shard : shards) EXPECT_LE(shard.size(), 3u);
}

TEST(SharderTest, BoundsWhatIsHeldOpen) {
  SharderOptions options{.shard_size = 65536};
  options.max_open_bytes = 20'000;
  Sharder sharder(options);
  size_t held = 0, cut = 0;
  for (int i = 0; i < 1000; ++i) {
    ImageTask task = Task(i, 64 + 8 * (i % 7));
    task.prompt = std::string(1'000, 'p');
    ++held;
    for (const ShardTasks& shard : sharder.Add(std::move(task))) {
      held -= shard.size();
      cut += shard.size();
    }
    EXPECT_LE(held, 20u);
  }
  for (const ShardTasks& shard : sharder.Finish()) cut += shard.size();
  EXPECT_EQ(cut, 1000u);
}

TEST(SharderTest, LosesAndDoublesNothingAndKeepsInputOrder) {
  std::vector<ImageTask> tasks;
  for (int i = 0; i < 500; ++i) {
    tasks.push_back(
        Task(i, 64 + 8 * (i * 7 % 5), {{absl::StrCat("l", i % 3), 1}}));
  }
  SharderOptions options{.shard_size = 8, .max_open_groups = 6};

  const auto shards = ShardAll(options, tasks);

  std::vector<int64_t> seen;
  for (const ShardTasks& shard : shards) {
    const auto lines = Lines(shard);
    EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end()));
    EXPECT_LE(lines.size(), 8u);
    seen.insert(seen.end(), lines.begin(), lines.end());
  }
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(seen.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(seen[i], i);
}

}  // namespace
}  // namespace tessera::coordinator

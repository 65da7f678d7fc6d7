// How the node's cache makes room: order, pins, bounds and full disks.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/cache_harness.h"
#include "worker/lora/node_cache.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NodeCacheRoomTest : public CacheTest {
 protected:
  // Three files of 40 bytes: two fit into 100.
  const std::string a_ = source_.Put(std::string(40, 'a'));
  const std::string b_ = source_.Put(std::string(40, 'b'));
  const std::string c_ = source_.Put(std::string(40, 'c'));
};

TEST_F(NodeCacheRoomTest, DropsWhatWasUsedLongestAgo) {
  const auto cache = Make(100);
  for (const std::string& sha256 : {a_, b_, a_, c_}) Use(*cache, sha256);

  EXPECT_THAT(cache->Held(10), ElementsAre(c_, a_));
  EXPECT_EQ(events_.evictions, 1);

  Use(*cache, b_);
  EXPECT_THAT(cache->Held(10), ElementsAre(b_, c_));
  EXPECT_EQ(events_.bytes, 80);
}

TEST_F(NodeCacheRoomTest, UseByAnotherProcessCounts) {
  const auto cache = Make(100);
  const auto other = Make(100);
  Use(*cache, a_);
  Use(*cache, b_);
  Use(*other, a_);

  Use(*cache, c_);

  EXPECT_THAT(cache->Held(10), ElementsAre(c_, a_));
}

TEST_F(NodeCacheRoomTest, KeepsWhatIsInUse) {
  const auto cache = Make(100);
  const absl::StatusOr<CachedFile> used = cache->Open(a_);
  clock_.Advance(absl::Seconds(1));
  Use(*cache, b_);

  Use(*cache, c_);

  EXPECT_THAT(cache->Held(10), ElementsAre(c_, a_));
}

TEST_F(NodeCacheRoomTest, FailsTheItemAloneWhenAllIsInUse) {
  const auto cache = Make(100);
  {
    const absl::StatusOr<CachedFile> a = cache->Open(a_);
    const absl::StatusOr<CachedFile> b = cache->Open(b_);

    EXPECT_THAT(cache->Open(c_),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         AllOf(HasSubstr(c_), HasSubstr("after 20 bytes"),
                               HasSubstr(folder()))));
    EXPECT_THAT(Files(), ::testing::UnorderedElementsAre(a_ + ".safetensors",
                                                         b_ + ".safetensors"));
  }

  EXPECT_EQ(Use(*cache, c_), std::string(40, 'c'));
}

TEST_F(NodeCacheRoomTest, ExactlyFullIsNotTooMuch) {
  const auto cache = Make(80);

  Use(*cache, a_);
  Use(*cache, b_);

  EXPECT_EQ(events_.evictions, 0);
}

TEST_F(NodeCacheRoomTest, RefusesWhatIsLargerThanTheCache) {
  const auto cache = Make(100);
  Use(*cache, a_);
  const std::string large = source_.Put(std::string(101, 'x'));

  EXPECT_THAT(cache->Open(large),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(large),
                             HasSubstr("larger than the cache of 100 bytes"),
                             HasSubstr(folder()))));

  EXPECT_EQ(Use(*cache, a_), std::string(40, 'a'));
}

TEST_F(NodeCacheRoomTest, ASmallerBoundDropsFilesAtTheStart) {
  {
    const auto cache = Make(120);
    for (const std::string& sha256 : {a_, b_, c_}) Use(*cache, sha256);
  }

  EXPECT_THAT(Make(50)->Held(10), ElementsAre(c_));
}

TEST_F(NodeCacheRoomTest, QuarantineGoesFirst) {
  const auto cache = Make(100);
  Use(*cache, a_);
  source_.spoil[b_] = 2;
  Use(*cache, b_);
  ASSERT_EQ(Files().size(), 3u);

  Use(*cache, c_);

  EXPECT_THAT(cache->Held(10), ElementsAre(c_, a_));
  EXPECT_EQ(events_.evictions, 0);
}

TEST_F(NodeCacheRoomTest, AFullDiskMakesTheCacheGiveWay) {
  const auto cache = Make(1000);
  for (const std::string& sha256 : {a_, b_}) Use(*cache, sha256);
  int removed = 0;
  // Until two files have gone nothing fits.
  disk_.before = [&](const std::string& call) -> absl::Status {
    if (call == "remove") ++removed;
    if (call == "write" && removed < 2) {
      return absl::ResourceExhaustedError("no space left");
    }
    return absl::OkStatus();
  };

  EXPECT_EQ(Use(*cache, c_), std::string(40, 'c'));

  EXPECT_THAT(cache->Held(10), ElementsAre(c_));
  EXPECT_EQ(events_.evictions, 2);
}

TEST_F(NodeCacheRoomTest, ADiskThatStaysFullFailsTheItem) {
  const auto cache = Make(1000);
  Use(*cache, a_);
  const absl::StatusOr<CachedFile> used = cache->Open(b_);
  disk_.before = [&](const std::string& call) -> absl::Status {
    if (call != "write") return absl::OkStatus();
    return absl::ResourceExhaustedError("no space left");
  };

  EXPECT_THAT(cache->Open(c_),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr(c_), HasSubstr("after 0 bytes"),
                             HasSubstr(folder()), HasSubstr("no space left"))));

  EXPECT_THAT(Files(), ElementsAre(b_ + ".safetensors"));
}

TEST_F(NodeCacheRoomTest, ADiskFullWhenFlushingFailsTheItem) {
  const auto cache = Make(1000);
  disk_.before = [&](const std::string& call) -> absl::Status {
    if (call != "flush") return absl::OkStatus();
    return absl::ResourceExhaustedError("no space left");
  };

  EXPECT_THAT(cache->Open(a_),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr(a_), HasSubstr("after 40 bytes"))));

  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(NodeCacheRoomTest, SweepsWhatADeadProcessLeftHalf) {
  WriteText(folder() + "/" + a_ + ".partial", "half");

  Make(100);

  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(NodeCacheRoomTest, TakesTheRoomOfAProcessThatDiedMeanwhile) {
  const auto cache = Make(100);
  WriteText(folder() + "/" + a_ + ".partial", std::string(90, 'x'));

  EXPECT_EQ(Use(*cache, b_), std::string(40, 'b'));

  EXPECT_THAT(Files(), ElementsAre(b_ + ".safetensors"));
}

TEST_F(NodeCacheRoomTest, StartsAnewOnAHalfFileOfItsDigest) {
  const auto cache = Make(1000);
  WriteText(folder() + "/" + a_ + ".partial", std::string(500, 'x'));

  EXPECT_EQ(Use(*cache, a_), std::string(40, 'a'));
}

}  // namespace
}  // namespace tessera::lora

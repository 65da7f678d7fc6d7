#include "worker/lora/node_cache.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/cache_harness.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NodeCacheTest : public CacheTest {
 protected:
  const std::string ink_ = source_.Put("the bytes of ink, in a few pieces");
};

TEST_F(NodeCacheTest, FetchesOnceAndThenServesFromTheDisk) {
  const auto cache = Make(1000);

  EXPECT_EQ(Use(*cache, ink_), "the bytes of ink, in a few pieces");
  EXPECT_EQ(Use(*cache, ink_), "the bytes of ink, in a few pieces");

  EXPECT_THAT(source_.fetched, ElementsAre(ink_));
  EXPECT_EQ(events_.misses, 1);
  EXPECT_EQ(events_.hits, 1);
  EXPECT_EQ(events_.loads, 1);
  EXPECT_THAT(Files(), ElementsAre(ink_ + ".safetensors"));
}

TEST_F(NodeCacheTest, AnotherProcessStartsWithWhatIsThere) {
  Use(*Make(1000), ink_);

  EXPECT_EQ(Use(*Make(1000), ink_), "the bytes of ink, in a few pieces");

  EXPECT_THAT(source_.fetched, ElementsAre(ink_));
}

TEST_F(NodeCacheTest, CountsTheBytesOfTheFolder) {
  const auto cache = Make(1000);
  Use(*cache, source_.Put(std::string(100, 'a')));
  Use(*cache, source_.Put(std::string(50, 'b')));

  cache->Held(10);

  EXPECT_EQ(events_.bytes, 150);
}

TEST_F(NodeCacheTest, RefusesWhatIsNoDigest) {
  const auto cache = Make(1000);
  const std::string upper(64, 'A');
  const std::string path = "../../" + std::string(58, 'a');

  for (const std::string& bad :
       {std::string(), std::string("ink"), ink_ + "0", ink_.substr(1), upper,
        path, ink_.substr(0, 63) + "/", ink_.substr(0, 62) + ".."}) {
    EXPECT_THAT(cache->Open(bad),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(bad)));
  }

  EXPECT_THAT(source_.fetched, IsEmpty());
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(NodeCacheTest, PassesTheSourcesErrorOnAndLeavesNothing) {
  const std::string unknown(64, '0');

  EXPECT_THAT(Make(1000)->Open(unknown),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr(unknown), HasSubstr("no such file"))));

  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(NodeCacheTest, QuarantinesASpoiltDownloadAndFetchesAnewOnce) {
  source_.spoil[ink_] = 1;

  EXPECT_EQ(Use(*Make(1000), ink_), "the bytes of ink, in a few pieces");

  EXPECT_THAT(source_.fetched, ElementsAre(ink_, ink_));
  EXPECT_EQ(events_.misses, 1);
  EXPECT_THAT(Files(), ElementsAre(ink_ + ".safetensors",
                                   "quarantine/" + ink_ + ".reason",
                                   "quarantine/" + ink_ + ".safetensors"));
  const std::string reason =
      ReadText(folder() + "/quarantine/" + ink_ + ".reason");
  EXPECT_THAT(reason, HasSubstr("does not have its digest: expected " + ink_));
  EXPECT_THAT(reason, HasSubstr("over 33 bytes"));
}

TEST_F(NodeCacheTest, KeepsNothingOfTheRoomItReservedAhead) {
  source_.spoil[ink_] = 1;
  const auto cache = Make(int64_t{1} << 30);

  Use(*cache, ink_);

  EXPECT_EQ(std::filesystem::file_size(EntryPath(ink_)), 33u);
  EXPECT_EQ(std::filesystem::file_size(folder() + "/quarantine/" + ink_ +
                                       ".safetensors"),
            33u);
}

TEST_F(NodeCacheTest, FailsWhenTheSecondDownloadIsSpoiltToo) {
  source_.spoil[ink_] = 2;
  const auto cache = Make(1000);

  EXPECT_THAT(cache->Open(ink_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(ink_)));
  EXPECT_THAT(source_.fetched, ElementsAre(ink_, ink_));
  EXPECT_THAT(Files(), ElementsAre("quarantine/" + ink_ + ".reason",
                                   "quarantine/" + ink_ + ".safetensors"));

  // The next item gets its own chance.
  EXPECT_EQ(Use(*cache, ink_), "the bytes of ink, in a few pieces");
}

TEST_F(NodeCacheTest, ReplacesAnEntryWithAFlippedByte) {
  Use(*Make(1000), ink_);
  std::string bytes = ReadText(EntryPath(ink_));
  bytes[5] ^= 0x10;
  WriteText(EntryPath(ink_), bytes);

  EXPECT_EQ(Use(*Make(1000), ink_), "the bytes of ink, in a few pieces");

  EXPECT_THAT(source_.fetched, ElementsAre(ink_, ink_));
  EXPECT_EQ(ReadText(folder() + "/quarantine/" + ink_ + ".safetensors"), bytes);
}

TEST_F(NodeCacheTest, NoticesAChangeAfterItHasTrustedTheEntry) {
  const auto cache = Make(1000);
  Use(*cache, ink_);
  WriteText(EntryPath(ink_), "the bytes of INK, in a few pieces");

  EXPECT_FALSE(cache->OpenTrusted(ink_).has_value());
  EXPECT_EQ(Use(*cache, ink_), "the bytes of ink, in a few pieces");

  EXPECT_THAT(source_.fetched, ElementsAre(ink_, ink_));
}

TEST_F(NodeCacheTest, ReplacesATruncatedEntry) {
  Use(*Make(1000), ink_);
  std::filesystem::resize_file(EntryPath(ink_), 7);

  EXPECT_EQ(Use(*Make(1000), ink_), "the bytes of ink, in a few pieces");
  std::filesystem::resize_file(EntryPath(ink_), 0);
  EXPECT_EQ(Use(*Make(1000), ink_), "the bytes of ink, in a few pieces");

  EXPECT_EQ(source_.fetched.size(), 3u);
}

TEST_F(NodeCacheTest, FetchesABadEntryAnewOnlyOnce) {
  Use(*Make(1000), ink_);
  WriteText(EntryPath(ink_), "something else");
  source_.spoil[ink_] = 1;

  EXPECT_THAT(Make(1000)->Open(ink_), StatusIs(absl::StatusCode::kDataLoss));

  EXPECT_THAT(source_.fetched, ElementsAre(ink_, ink_));
}

TEST_F(NodeCacheTest, DoesNotFollowALinkOutOfTheFolder) {
  WriteText(folder_ / "outside", "the bytes of ink, in a few pieces");
  const auto cache = Make(1000);
  std::filesystem::create_symlink(folder_ / "outside", EntryPath(ink_));

  EXPECT_FALSE(cache->Open(ink_).ok());
}

TEST_F(NodeCacheTest, LeavesOtherPeoplesFilesAlone) {
  WriteText(folder() + "/ink.safetensors", "theirs");
  WriteText(folder() + "/notes.partial", "theirs");

  Make(1)->Held(10);

  EXPECT_THAT(Files(), ElementsAre("ink.safetensors", "notes.partial"));
}

TEST_F(NodeCacheTest, OpensOnlyWhatItTrustsWithoutFetching) {
  {
    const auto cache = Make(1000);
    EXPECT_FALSE(cache->OpenTrusted(ink_).has_value());
    EXPECT_FALSE(cache->OpenTrusted("../x").has_value());
    Use(*cache, ink_);
    EXPECT_TRUE(cache->OpenTrusted(ink_).has_value());
  }
  EXPECT_FALSE(Make(1000)->OpenTrusted(ink_).has_value());
}

TEST_F(NodeCacheTest, SaysWhatItHoldsLastUsedFirst) {
  const auto cache = Make(1000);
  const std::string a = source_.Put("a"), b = source_.Put("b"),
                    c = source_.Put("c");
  for (const std::string& sha256 : {a, b, c, a}) Use(*cache, sha256);

  EXPECT_THAT(cache->Held(256), ElementsAre(a, c, b));
  EXPECT_THAT(cache->Held(2), ElementsAre(a, c));
}

TEST_F(NodeCacheTest, StopReachesTheSource) {
  const auto cache = Make(1000);

  cache->Stop();

  EXPECT_TRUE(source_.stopped);
}

TEST_F(NodeCacheTest, FolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  WriteText(folder(), "a file");

  const auto cache = NodeCache::Create(folder(), {10, absl::Minutes(2)},
                                       source_, disk_, events_, clock_);

  EXPECT_FALSE(cache.ok());
  EXPECT_THAT(std::string(cache.status().message()), HasSubstr(folder()));
}

}  // namespace
}  // namespace tessera::lora

#include "coordinator/seeds.h"

#include <cstdint>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

TEST(SeedsTest, ALinesOwnSeedCountsOnModulo2To64) {
  EXPECT_EQ(PictureSeed(7, 99, "a", 0), 7u);
  EXPECT_EQ(PictureSeed(7, 99, "a", 3), 10u);
  EXPECT_EQ(PictureSeed(std::numeric_limits<uint64_t>::max(), 99, "a", 2), 1u);
}

TEST(SeedsTest, DerivedSeedsStayTheSameInEveryRelease) {
  // First eight bytes of sha256("tessera seed 1:" + be64(0) + be64(0) + "a").
  EXPECT_EQ(PictureSeed(std::nullopt, 0, "a", 0), 4744277933855048515u);
}

TEST(SeedsTest, DerivedSeedsDifferByJobIdAndIndex) {
  std::set<uint64_t> seeds;
  for (uint64_t job = 0; job < 10; ++job) {
    for (int id = 0; id < 10; ++id) {
      for (int index = 0; index < 10; ++index) {
        seeds.insert(PictureSeed(std::nullopt, job, absl::StrCat(id), index));
      }
    }
  }
  EXPECT_EQ(seeds.size(), 1000u);
}

}  // namespace
}  // namespace tessera::coordinator

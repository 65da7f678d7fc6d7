#include "common/ids.h"

#include <set>

#include "gtest/gtest.h"

namespace tessera {
namespace {

TEST(IdsTest, UniqueIdsDifferAndCarryTheirPrefix) {
  std::set<std::string> seen;

  for (int i = 0; i < 1000; ++i) seen.insert(MakeUniqueId("job"));

  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(seen.begin()->substr(0, 4), "job-");
  EXPECT_EQ(seen.begin()->size(), 4u + 16u);
}

TEST(IdsTest, ShardsOrderByJobThenIndex) {
  const ShardId a{JobId("a"), 9}, b{JobId("b"), 0}, b1{JobId("b"), 1};

  EXPECT_LT(a, b);
  EXPECT_LT(b, b1);
  EXPECT_EQ(b1, (ShardId{JobId("b"), 1}));
}

}  // namespace
}  // namespace tessera

#include "client/nearest_word.h"

#include "gtest/gtest.h"

namespace tessera::client {
namespace {

TEST(EditDistanceTest, CountsInsertedRemovedAndReplacedLetters) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("steps", "step"), 1);
  EXPECT_EQ(EditDistance("watch", "match"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(EditDistanceTest, IsSymmetric) {
  EXPECT_EQ(EditDistance("coordinator", "cordinatro"),
            EditDistance("cordinatro", "coordinator"));
}

TEST(NearestWordTest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(NearestWord("sumbit", {"status", "submit", "sheet"}), "submit");
  EXPECT_EQ(NearestWord("coordinater", {"json", "coordinator"}), "coordinator");
}

TEST(NearestWordTest, SaysNothingWhenNoneIsNear) {
  EXPECT_EQ(NearestWord("xyzzy", {"submit", "watch"}), "");
  EXPECT_EQ(NearestWord("a", {}), "");
  EXPECT_EQ(NearestWord(std::string(1000, 'a'), {"aaa"}), "");
}

}  // namespace
}  // namespace tessera::client

#include "coordinator/job_warnings.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(JobWarningsTest, EachIsKeptOnceInTheOrderOfItsFirstComing) {
  std::vector<std::string> warnings;

  EXPECT_TRUE(AddWarnings({"b", "a", "b"}, warnings));
  EXPECT_FALSE(AddWarnings({"a", ""}, warnings));
  EXPECT_TRUE(AddWarnings({"a", "c"}, warnings));

  EXPECT_THAT(warnings, ElementsAre("b", "a", "c"));
}

TEST(JobWarningsTest, LineFeedsWouldSeparateWarnings) {
  std::vector<std::string> warnings;

  AddWarnings({"one\ntwo"}, warnings);

  EXPECT_THAT(warnings, ElementsAre("one two"));
}

TEST(JobWarningsTest, NumberAndLengthAreBounded) {
  std::vector<std::string> warnings;
  // 2-byte characters: the cut at 1,024 bytes must not fall into one.
  std::string longest = "x";
  for (int i = 0; i < 600; ++i) longest += "ä";

  AddWarnings({longest}, warnings);
  for (int i = 0; i < 100; ++i) AddWarnings({std::to_string(i)}, warnings);

  ASSERT_THAT(warnings, SizeIs(16));
  EXPECT_EQ(warnings[0], longest.substr(0, 1023));
}

TEST(JobWarningsTest, RetriesAreSaidOnceACode) {
  std::vector<std::string> warnings;

  WarnOfRetry({"RESOURCE_EXHAUSTED", "cannot write a.png"}, warnings);
  WarnOfRetry({"RESOURCE_EXHAUSTED", "cannot write b.png"}, warnings);
  WarnOfRetry({"UNAVAILABLE", "gone"}, warnings);

  EXPECT_THAT(warnings,
              ElementsAre("pictures are tried again after RESOURCE_EXHAUSTED, "
                          "first: cannot write a.png",
                          "pictures are tried again after UNAVAILABLE, first: "
                          "gone"));
}

}  // namespace
}  // namespace tessera::coordinator

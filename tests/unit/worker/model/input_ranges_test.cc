#include "worker/model/input_ranges.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::Eq;
using ::testing::Optional;

TEST(InputRangesTest, ALayersRangeOnlyGrows) {
  InputRanges ranges;
  ranges.Widen("a.to_q", 2);
  ranges.Widen("a.to_q", 1);
  ranges.Widen("a.to_k", 3);

  EXPECT_THAT(ranges.Find({"a.to_q"}), Optional(2.0f));
  EXPECT_THAT(ranges.Find({"a.to_q", "a.to_k"}), Optional(3.0f));
}

TEST(InputRangesTest, FusedLayersNeedAllOfTheirRanges) {
  InputRanges ranges;
  ranges.Widen("a.to_q", 2);

  EXPECT_THAT(ranges.Find({"a.to_q", "a.to_k"}), Eq(std::nullopt));
  EXPECT_THAT(ranges.Find({}), Eq(std::nullopt));
}

TEST(InputRangesTest, WhatIsWrittenIsRead) {
  InputRanges ranges;
  ranges.Widen("a.to_q", 0.1f);
  ranges.Widen("mid_block.proj_in", 12345.678f);

  const auto read = InputRanges::Parse(ranges.Format(), "file");

  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(read->Find({"a.to_q"}), Optional(0.1f));
  EXPECT_THAT(read->Find({"mid_block.proj_in"}), Optional(12345.678f));
}

TEST(InputRangesTest, OtherLinesAreRefusedByNumber) {
  for (const char* bad :
       {"a", "a b", "a 0", "a -1", "a nan", "a inf", " 1", "a 1 2"}) {
    const auto read =
        InputRanges::Parse(std::string("ok 1\n") + bad, "unet/fp8_inputs.txt");
    EXPECT_THAT(read,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         ::testing::HasSubstr("unet/fp8_inputs.txt: expected a "
                                              "layer and a positive number, "
                                              "line 2: ")))
        << bad;
  }
}

}  // namespace
}  // namespace tessera::model

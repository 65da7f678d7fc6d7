#include "worker/model/json_text.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(JsonTextTest, CountsWhatIsOpenAtOnce) {
  EXPECT_THAT(CheckJsonText("", 0), IsOk());
  EXPECT_THAT(CheckJsonText("1", 0), IsOk());
  EXPECT_THAT(CheckJsonText("{}", 1), IsOk());
  EXPECT_THAT(CheckJsonText(R"({"a":[1],"b":[{}]})", 3), IsOk());
  EXPECT_THAT(CheckJsonText("[[],[],[],[]]", 2), IsOk());

  EXPECT_THAT(CheckJsonText("{}", 0), StatusIs(kInvalid, "nests too deeply"));
  EXPECT_THAT(CheckJsonText(R"({"a":[1],"b":[{}]})", 2),
              StatusIs(kInvalid, "nests too deeply"));
  EXPECT_THAT(CheckJsonText(std::string(1'000'000, '['), 8),
              StatusIs(kInvalid, "nests too deeply"));
}

TEST(JsonTextTest, BracketsInStringsDoNotCount) {
  EXPECT_THAT(CheckJsonText(R"({"[[{{":"]]}}"})", 1), IsOk());
  EXPECT_THAT(CheckJsonText(R"({"a\"[[":"\\"})", 1), IsOk());
  EXPECT_THAT(CheckJsonText(R"({"a":"[[)", 1), IsOk());
  EXPECT_THAT(CheckJsonText("{\"a\\", 1), IsOk());

  // The name ends behind the escaped quote, or behind the escaped backslash.
  EXPECT_THAT(CheckJsonText(R"({"\"":[[]]})", 2),
              StatusIs(kInvalid, "nests too deeply"));
  EXPECT_THAT(CheckJsonText(R"({"a\\":[[]]})", 2),
              StatusIs(kInvalid, "nests too deeply"));
}

TEST(JsonTextTest, ZeroByteIsRefusedWhereverItIs) {
  const std::string zero(1, '\0');
  for (const std::string& text :
       {zero, "{}" + zero, "{\"" + zero + "\":1}", zero + "{}"}) {
    EXPECT_THAT(CheckJsonText(text, 8), StatusIs(kInvalid, "holds a zero byte"))
        << text;
  }
}

}  // namespace
}  // namespace tessera::model

#include "coordinator/lora_name.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

const char kDigest[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(LoraNameTest, ReadsBothForms) {
  const std::string versioned = std::string("ink@") + kDigest;

  EXPECT_THAT(ParseLoraName("ink"), IsOkAndHolds(LoraName{"ink", ""}));
  EXPECT_THAT(ParseLoraName(versioned), IsOkAndHolds(LoraName{"ink", kDigest}));
  EXPECT_EQ(LoraNameText({"ink", ""}), "ink");
  EXPECT_EQ(LoraNameText({"ink", kDigest}), versioned);
}

TEST(LoraNameTest, TakesEveryAllowedCharacterUpToTheLongest) {
  const std::string longest = "aZ09._-" + std::string(128 - 7, 'x');

  EXPECT_THAT(ParseLoraName(longest), IsOkAndHolds(LoraName{longest, ""}));
  EXPECT_THAT(ParseLoraName(longest + "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("128")));
}

TEST(LoraNameTest, NamesThatCouldBePathsAreRefused) {
  for (const char* bad : {"", ".", "..", ".ink", "a/b", "../ink", "/etc", "a b",
                          "a\\b", "tinte\xc3\xbc", "a:b", "ink\n"}) {
    EXPECT_THAT(ParseLoraName(bad),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
  EXPECT_THAT(ParseLoraName(std::string("a\0b", 3)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LoraNameTest, VersionsMustBeWholeDigests) {
  const std::string digest = kDigest;
  for (const std::string& bad :
       {std::string("ink@"), "ink@" + digest.substr(1), "ink@@" + digest,
        "ink@" + digest + "@" + digest, "@" + digest,
        "ink@E3" + digest.substr(2), std::string("ink@latest")}) {
    EXPECT_THAT(ParseLoraName(bad),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
}

}  // namespace
}  // namespace tessera::coordinator

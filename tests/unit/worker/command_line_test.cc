#include "worker/command_line.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

ABSL_FLAG(std::string, test_name, "nobody", "Who it is.");
ABSL_FLAG(int, test_count, 3, "How many there are.");

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

class CommandLineTest : public ::testing::Test {
 protected:
  absl::Status Set(const std::vector<std::string>& arguments) {
    return SetFlags(
        {"test_name", "test_count"},
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        arguments);
  }

  void ExpectRefused(const std::vector<std::string>& arguments,
                     const std::string& reason) {
    EXPECT_THAT(Set(arguments), StatusIs(absl::StatusCode::kInvalidArgument,
                                         HasSubstr(reason)));
  }

  absl::FlagSaver saver_;
  std::map<std::string, std::string> environment_;
};

TEST_F(CommandLineTest, AcceptsEverySpelling) {
  ASSERT_TRUE(Set({"--test-name=a=b", "--test_count", "5"}).ok());

  EXPECT_EQ(absl::GetFlag(FLAGS_test_name), "a=b");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_count), 5);
}

TEST_F(CommandLineTest, EnvironmentStandsInForTheCommandLine) {
  environment_ = {{"TESSERA_TEST_NAME", "env"}, {"TESSERA_TEST_COUNT", "7"}};

  ASSERT_TRUE(Set({"--test-name", "argument"}).ok());

  EXPECT_EQ(absl::GetFlag(FLAGS_test_name), "argument");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_count), 7);
}

TEST_F(CommandLineTest, WhatIsNotUnderstoodIsNamed) {
  ExpectRefused({"--other=1"}, "unknown argument: --other=1");
  ExpectRefused({"file"}, "unknown argument: file");
  ExpectRefused({"--test-name"}, "value missing after: --test-name");
  ExpectRefused({"--test-count=many"}, "--test-count: \"many\"");
  environment_ = {{"TESSERA_TEST_COUNT", "x"}};
  ExpectRefused({}, "TESSERA_TEST_COUNT");
}

TEST_F(CommandLineTest, HelpNamesFlagMeaningDefaultAndVariable) {
  const std::string help = HelpText("usage\n", {"test_name", "test_count"});

  EXPECT_THAT(help, HasSubstr("usage\n\n  --test-name\n      Who it is.\n"
                              "      Default: nobody. "
                              "Variable: TESSERA_TEST_NAME.\n"));
  EXPECT_THAT(help, HasSubstr("--test-count"));
}

}  // namespace
}  // namespace tessera::worker

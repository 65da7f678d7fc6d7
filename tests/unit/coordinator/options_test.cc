#include "coordinator/options.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

absl::StatusOr<Options> Parse(std::vector<std::string> arguments,
                              std::map<std::string, std::string> variables) {
  return ParseOptions(
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      arguments);
}

std::string Error(std::vector<std::string> arguments) {
  const auto options = Parse(std::move(arguments), {});
  EXPECT_THAT(options, StatusIs(absl::StatusCode::kInvalidArgument));
  return std::string(options.status().message());
}

TEST(OptionsTest, ArgumentsWinOverTheEnvironment) {
  const auto options =
      Parse({"--listen=127.0.0.1:1", "--store", "sqlite:/a/b.db"},
            {{"TESSERA_LISTEN", "127.0.0.1:2"},
             {"TESSERA_METRICS_LISTEN", "127.0.0.1:3"},
             {"TESSERA_LEASE_DURATION", "3s"}});

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->listen, "127.0.0.1:1");
  EXPECT_EQ(options->metrics_listen, "127.0.0.1:3");
  EXPECT_EQ(options->lease_duration, absl::Seconds(3));
  EXPECT_THAT(StoreFile(*options), IsOkAndHolds("/a/b.db"));
}

TEST(OptionsTest, TheStoreIsInTheDataFolderUnlessGiven) {
  EXPECT_THAT(StoreFile(*Parse({"--data", "/d"}, {})),
              IsOkAndHolds("/d/tessera.db"));
  EXPECT_THAT(StoreFile(*Parse({"--store", "memory:"}, {})), IsOkAndHolds(""));
}

TEST(OptionsTest, NamesTheBadFlag) {
  EXPECT_EQ(Error({"--lisen", "x"}), "unknown argument: --lisen");
  EXPECT_EQ(Error({"--listen"}), "value missing after: --listen");
  EXPECT_EQ(Error({"--listen", "7070"}),
            "--listen: expected host:port, got \"7070\"");
  EXPECT_THAT(Error({"--store", "mysql:x"}), HasSubstr("sqlite:FILE"));
  EXPECT_THAT(Error({"--lease-duration", "10ms"}), HasSubstr("1s to 1h"));
  EXPECT_THAT(Error({"--log-format", "xml"}), HasSubstr("text or json"));
}

TEST(OptionsTest, HelpNamesEveryFlagAndVariable) {
  EXPECT_THAT(HelpText(), HasSubstr("--metrics-listen"));
  EXPECT_THAT(HelpText(), HasSubstr("TESSERA_METRICS_LISTEN"));
}

}  // namespace
}  // namespace tessera::coordinator

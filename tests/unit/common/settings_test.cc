#include "common/settings.h"

#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;

absl::StatusOr<std::vector<Setting>> Read(
    const std::map<std::string, std::string>& variables,
    const std::vector<std::string>& arguments) {
  return ReadSettings(
      {"name", "log-format"},
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      arguments);
}

TEST(SettingsTest, ArgumentsComeAfterTheEnvironment) {
  const auto settings = Read({{"TESSERA_LOG_FORMAT", "text"}, {"HOME", "/"}},
                             {"--log-format=json"});

  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_THAT(*settings,
              ElementsAre(FieldsAre("log-format", "text", "TESSERA_LOG_FORMAT"),
                          FieldsAre("log-format", "json", "--log-format")));
}

TEST(SettingsTest, AcceptsEverySpelling) {
  const auto settings =
      Read({}, {"--name=a=b", "--log_format", "json", "--name", "--name"});

  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_THAT(*settings,
              ElementsAre(FieldsAre("name", "a=b", "--name"),
                          FieldsAre("log-format", "json", "--log_format"),
                          FieldsAre("name", "--name", "--name")));
}

TEST(SettingsTest, WhatIsNotUnderstoodIsNamed) {
  EXPECT_EQ(Read({}, {"--other=1"}).status(),
            absl::InvalidArgumentError("unknown argument: --other=1"));
  EXPECT_EQ(Read({}, {"-name=1"}).status(),
            absl::InvalidArgumentError("unknown argument: -name=1"));
  EXPECT_EQ(Read({}, {"file"}).status(),
            absl::InvalidArgumentError("unknown argument: file"));
  EXPECT_EQ(Read({}, {"--name"}).status(),
            absl::InvalidArgumentError("value missing after: --name"));
}

}  // namespace
}  // namespace tessera

#include "common/log.h"

#include <limits>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tessera {
namespace {

const absl::Time kNoon = absl::FromUnixMillis(1'700'000'000'123);

TEST(LogTest, TextLineQuotesOnlyWhatNeedsIt) {
  const std::string line =
      FormatLogLine(LogFormat::kText, Severity::kInfo, kNoon, "lease expired",
                    {{"job", "job-1"}, {"attempt", 2}, {"why", "no \"call\""}});

  EXPECT_EQ(line,
            "2023-11-14T22:13:20.123Z info lease expired job=job-1 attempt=2 "
            "why=\"no \\\"call\\\"\"");
}

TEST(LogTest, JsonLineParsesWithTypesKept) {
  const std::string line = FormatLogLine(
      LogFormat::kJson, Severity::kError, kNoon, "commit refused",
      {{"epoch", 7}, {"status", absl::AbortedError("stale\nepoch")}});

  const auto json = nlohmann::json::parse(line, nullptr, false);

  ASSERT_FALSE(json.is_discarded()) << line;
  EXPECT_EQ(json["severity"], "error");
  EXPECT_EQ(json["epoch"], 7);
  EXPECT_EQ(json["status"], "ABORTED: stale\nepoch");
}

TEST(LogTest, InvalidUtf8DoesNotBreakJson) {
  const std::string line =
      FormatLogLine(LogFormat::kJson, Severity::kInfo, kNoon, "bad line",
                    {{"text", "\xff\xfe"}});

  EXPECT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded());
}

TEST(LogTest, NumbersThatJsonLacksAreStrings) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string line =
      FormatLogLine(LogFormat::kJson, Severity::kInfo, kNoon, "odd rates",
                    {{"nan", std::numeric_limits<float>::quiet_NaN()},
                     {"up", infinity},
                     {"down", -infinity},
                     {"half", 0.5}});

  const auto json = nlohmann::json::parse(line, nullptr, false);

  ASSERT_FALSE(json.is_discarded()) << line;
  EXPECT_EQ(json["nan"], "nan");
  EXPECT_EQ(json["up"], "inf");
  EXPECT_EQ(json["down"], "-inf");
  EXPECT_EQ(json["half"], 0.5);
}

}  // namespace
}  // namespace tessera

#include "worker/model/config_file.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::tessera::testing::TemporaryFolder;
using ::tessera::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Returns a config whose only field is "f".
ConfigFile FieldOf(const std::string& value) {
  return ConfigFile::Parse("{\"f\":" + value + "}", "c.json").value();
}

// Matches the error of field "f" with this expectation and finding.
auto Refuses(const std::string& expected, const std::string& got) {
  return StatusIs(
      kInvalid, absl::StrCat("c.json: f: expected ", expected, ", got ", got));
}

// Matches the error of a text that is no config.
auto IsNoConfig(const std::string& why) {
  return StatusIs(kInvalid,
                  absl::StrCat("c.json: expected a JSON object", why));
}

TEST(ConfigFileTest, OpensAFile) {
  const TemporaryFolder folder;
  WriteText(folder / "config.json", R"({"f":7})");

  const auto file = ConfigFile::Open(folder / "config.json");

  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->path(), folder / "config.json");
  EXPECT_THAT(file->Int("f", 0, 9), IsOkAndHolds(7));
}

TEST(ConfigFileTest, WhatIsNoFileIsNamed) {
  const TemporaryFolder folder;
  WriteText(folder / "empty.json", "");

  EXPECT_THAT(
      ConfigFile::Open(folder / "none.json"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder / "none.json")));
  EXPECT_THAT(ConfigFile::Open(folder.path()),
              StatusIs(kInvalid, HasSubstr(folder.path())));
  EXPECT_THAT(
      ConfigFile::Open(folder / "empty.json"),
      StatusIs(kInvalid, (folder / "empty.json") + ": expected a JSON object"));
}

TEST(ConfigFileTest, OtherTextIsRefused) {
  for (const char* text :
       {"", " ", "[]", "[{}]", "1", "null", "\"{}\"", "{", "{}}", "{} {}",
        "{'f':1}", "{\"f\":}", "{\"f\":1,}", "{\"f\":1e999}", "{\"f\":NaN}",
        "{/*f*/}", "{\"f\":\"\xff\"}", "{\"\xc3\":1}", "{\"f\":\"\\ud800\"}"}) {
    EXPECT_THAT(ConfigFile::Parse(text, "c.json"), IsNoConfig("")) << text;
  }
}

TEST(ConfigFileTest, ZeroBytesAndDeepNestingAreRefused) {
  EXPECT_THAT(ConfigFile::Parse(std::string("{}\0", 3), "c.json"),
              IsNoConfig(", but it holds a zero byte"));
  // Such a value could not be printed in a message.
  const std::string open(1'000'000, '['), close(1'000'000, ']');
  EXPECT_THAT(ConfigFile::Parse("{\"f\":" + open + close + "}", "c.json"),
              IsNoConfig(", but it nests too deeply"));
}

TEST(ConfigFileTest, NullIsAbsent) {
  EXPECT_TRUE(FieldOf("0").Has("f"));
  EXPECT_TRUE(FieldOf("false").Has("f"));
  EXPECT_TRUE(FieldOf("\"\"").Has("f"));
  EXPECT_FALSE(FieldOf("null").Has("f"));
  EXPECT_FALSE(FieldOf("1").Has("F"));
  EXPECT_FALSE(FieldOf("1").Has(""));
}

TEST(ConfigFileTest, IntsAreWholeNumbersInRange) {
  EXPECT_THAT(FieldOf("-2").Int("f", -2, 3), IsOkAndHolds(-2));
  EXPECT_THAT(FieldOf("3").Int("f", -2, 3), IsOkAndHolds(3));
  EXPECT_THAT(FieldOf("-0").Int("f", -2, 3), IsOkAndHolds(0));
  EXPECT_THAT(FieldOf("9223372036854775807").Int("f", 0, INT64_MAX),
              IsOkAndHolds(INT64_MAX));
  for (const char* value : {"-3", "4", "1.0", "1.5", "\"1\"", "true", "null",
                            "[1]", "{}", "9223372036854775808",
                            "18446744073709551615", "-9223372036854775808"}) {
    EXPECT_THAT(FieldOf(value).Int("f", -2, 3),
                Refuses("an integer from -2 to 3", value));
  }
  EXPECT_THAT(FieldOf("18446744073709551615").Int("f", INT64_MIN, INT64_MAX),
              StatusIs(kInvalid));
}

TEST(ConfigFileTest, AbsentIntIsRequiredOrFallsBack) {
  const ConfigFile file = FieldOf("null");

  EXPECT_THAT(file.Int("g", 0, 9),
              StatusIs(kInvalid,
                       "c.json: g: expected an integer from 0 to 9, "
                       "got null"));
  EXPECT_THAT(file.IntOr("f", 0, 9, 7), IsOkAndHolds(7));
  EXPECT_THAT(file.IntOr("g", 0, 9, 7), IsOkAndHolds(7));
  EXPECT_THAT(FieldOf("8").IntOr("f", 0, 9, 7), IsOkAndHolds(8));
  EXPECT_THAT(FieldOf("10").IntOr("f", 0, 9, 7),
              Refuses("an integer from 0 to 9", "10"));
}

TEST(ConfigFileTest, NumbersMayBeWhole) {
  EXPECT_THAT(FieldOf("0.5").NumberOr("f", 7), IsOkAndHolds(0.5));
  EXPECT_THAT(FieldOf("-3").NumberOr("f", 7), IsOkAndHolds(-3.0));
  EXPECT_THAT(FieldOf("1e-5").NumberOr("f", 7), IsOkAndHolds(1e-5));
  EXPECT_THAT(FieldOf("null").NumberOr("f", 7), IsOkAndHolds(7.0));
  EXPECT_THAT(FieldOf("1").NumberOr("g", 7), IsOkAndHolds(7.0));
  for (const char* value : {"\"0.5\"", "true", "[0.5]", "{}"}) {
    EXPECT_THAT(FieldOf(value).NumberOr("f", 7),
                Refuses("a finite number", value));
  }
}

TEST(ConfigFileTest, FloatsFitSinglePrecision) {
  EXPECT_THAT(FieldOf("-0.1").FloatOr("f", 7), IsOkAndHolds(-0.1f));
  EXPECT_THAT(FieldOf("1e-320").FloatOr("f", 7), IsOkAndHolds(0.0f));
  EXPECT_THAT(FieldOf("null").FloatOr("f", 0.1), IsOkAndHolds(0.1f));
  EXPECT_THAT(FieldOf("1e39").FloatOr("f", 7),
              Refuses("a number that fits f32", "1e+39"));
  EXPECT_THAT(FieldOf("-1e39").FloatOr("f", 7),
              Refuses("a number that fits f32", "-1e+39"));
  EXPECT_THAT(FieldOf("[]").FloatOr("f", 7), Refuses("a finite number", "[]"));
}

TEST(ConfigFileTest, PositiveFloatsStayPositive) {
  EXPECT_THAT(FieldOf("1e-5").PositiveOr("f", 7), IsOkAndHolds(1e-5f));
  EXPECT_THAT(FieldOf("null").PositiveOr("f", 7), IsOkAndHolds(7.0f));
  // The last one is zero in single precision.
  for (const char* value : {"0", "0.0", "-1.0", "1e-50"}) {
    EXPECT_THAT(FieldOf(value).PositiveOr("f", 7),
                Refuses("a positive number", value));
  }
  EXPECT_THAT(FieldOf("1e39").PositiveOr("f", 7),
              Refuses("a number that fits f32", "1e+39"));
}

TEST(ConfigFileTest, BoolsAreNoNumbers) {
  EXPECT_THAT(FieldOf("true").BoolOr("f", false), IsOkAndHolds(true));
  EXPECT_THAT(FieldOf("false").BoolOr("f", true), IsOkAndHolds(false));
  EXPECT_THAT(FieldOf("null").BoolOr("f", true), IsOkAndHolds(true));
  EXPECT_THAT(FieldOf("null").BoolOr("g", false), IsOkAndHolds(false));
  for (const char* value : {"0", "1", "\"true\"", "[]", "{}"}) {
    EXPECT_THAT(FieldOf(value).BoolOr("f", true),
                Refuses("true or false", value));
  }
}

TEST(ConfigFileTest, StringsAreNotConverted) {
  EXPECT_THAT(FieldOf("\"é\"").StringOr("f", "x"), IsOkAndHolds("é"));
  EXPECT_THAT(FieldOf("\"\"").StringOr("f", "x"), IsOkAndHolds(""));
  EXPECT_THAT(FieldOf("null").StringOr("f", "x"), IsOkAndHolds("x"));
  for (const char* value : {"1", "true", "[\"a\"]", "{}"}) {
    EXPECT_THAT(FieldOf(value).StringOr("f", "x"), Refuses("a string", value));
  }
}

TEST(ConfigFileTest, TokensAreStringsOrObjects) {
  EXPECT_THAT(FieldOf("\"!\"").TokenText("f"), IsOkAndHolds("!"));
  EXPECT_THAT(FieldOf(R"({"content":"!","lstrip":true})").TokenText("f"),
              IsOkAndHolds("!"));
  for (const char* value : {"null", "1", "[\"!\"]", "{}", R"({"content":1})",
                            R"({"Content":"!"})"}) {
    EXPECT_THAT(FieldOf(value).TokenText("f"),
                Refuses("a token or an object with its content", value));
  }
}

TEST(ConfigFileTest, ListsOfInts) {
  EXPECT_THAT(FieldOf("[1,9]").Ints("f", 1, 9),
              IsOkAndHolds(ElementsAre(1, 9)));
  EXPECT_TRUE(
      FieldOf("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]").Ints("f", 1, 1).ok());
  for (const char* value : {"null", "[]", "1", "\"[1]\"", "{\"0\":1}",
                            "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"}) {
    EXPECT_THAT(FieldOf(value).Ints("f", 1, 9),
                Refuses("a list of 1 to 16 integers", value));
  }
  for (const char* value :
       {"[0]", "[1,10]", "[1.0]", "[\"1\"]", "[null]", "[[1]]", "[true]"}) {
    EXPECT_THAT(FieldOf(value).Ints("f", 1, 9),
                Refuses("a list of an integer from 1 to 9", value));
  }
}

TEST(ConfigFileTest, OneIntForAllBlocksOrOneEach) {
  EXPECT_THAT(FieldOf("5").IntPerBlock("f", 1, 9, 3, 8),
              IsOkAndHolds(ElementsAre(5, 5, 5)));
  EXPECT_THAT(FieldOf("[5,6,7]").IntPerBlock("f", 1, 9, 3, 8),
              IsOkAndHolds(ElementsAre(5, 6, 7)));
  EXPECT_THAT(FieldOf("null").IntPerBlock("f", 1, 9, 2, 8),
              IsOkAndHolds(ElementsAre(8, 8)));
  EXPECT_THAT(FieldOf("0").IntPerBlock("f", 1, 9, 3, 8),
              Refuses("an integer from 1 to 9", "0"));
  EXPECT_THAT(FieldOf("[5,0,5]").IntPerBlock("f", 1, 9, 3, 8),
              Refuses("a list of an integer from 1 to 9", "[5,0,5]"));
  for (const char* value : {"[5]", "[5,6]", "[5,6,7,8]"}) {
    EXPECT_THAT(FieldOf(value).IntPerBlock("f", 1, 9, 3, 8),
                Refuses("one integer, or one for each of 3 blocks", value));
  }
}

TEST(ConfigFileTest, ListsOfStrings) {
  EXPECT_THAT(FieldOf(R"(["a",""])").Strings("f"),
              IsOkAndHolds(ElementsAre("a", "")));
  for (const char* value : {"null", "[]", "\"a\"", "{\"a\":\"b\"}"}) {
    EXPECT_THAT(FieldOf(value).Strings("f"),
                Refuses("a list of 1 to 16 strings", value));
  }
  for (const char* value : {"[1]", "[\"a\",null]", "[[\"a\"]]"}) {
    EXPECT_THAT(FieldOf(value).Strings("f"),
                Refuses("a list of strings", value));
  }
}

TEST(ConfigFileTest, ExpectationsTakeAbsentFields) {
  for (const char* field : {"f", "g"}) {
    const ConfigFile file = FieldOf("null");
    EXPECT_THAT(file.ExpectString(field, "silu"), IsOk());
    EXPECT_THAT(file.ExpectBool(field, false), IsOk());
    EXPECT_THAT(file.ExpectNull(field), IsOk());
  }
  EXPECT_THAT(FieldOf("\"silu\"").ExpectString("f", "silu"), IsOk());
  EXPECT_THAT(FieldOf("true").ExpectBool("f", true), IsOk());
}

TEST(ConfigFileTest, ExpectationsCompareTypes) {
  for (const char* value : {"\"SiLU\"", "1", "[\"silu\"]", "\"\""}) {
    EXPECT_THAT(FieldOf(value).ExpectString("f", "silu"),
                Refuses("\"silu\"", value));
  }
  for (const char* value : {"true", "0", "\"false\"", "\"\"", "[]"}) {
    EXPECT_THAT(FieldOf(value).ExpectBool("f", false), Refuses("false", value));
  }
  EXPECT_THAT(FieldOf("1").ExpectBool("f", true), Refuses("true", "1"));
  for (const char* value : {"false", "0", "\"\"", "[]", "{}"}) {
    EXPECT_THAT(FieldOf(value).ExpectNull("f"), Refuses("null", value));
  }
}

TEST(ConfigFileTest, LongValuesAreCutBetweenCharacters) {
  // 79 bytes with the quote, so that the 80th is half of a character.
  const std::string text = std::string(78, 'a') + "éééé";

  EXPECT_THAT(FieldOf("\"" + text + "\"").BoolOr("f", true),
              Refuses("true or false", "\"" + std::string(78, 'a') + "…"));
  EXPECT_THAT(FieldOf("\"" + std::string(78, 'a') + "\"").BoolOr("f", true),
              Refuses("true or false", "\"" + std::string(78, 'a') + "\""));
  EXPECT_THAT(FieldOf("\"" + std::string(9999, 'a') + "\"").BoolOr("f", true),
              StatusIs(kInvalid, EndsWith(std::string(79, 'a') + "…")));
}

}  // namespace
}  // namespace tessera::model

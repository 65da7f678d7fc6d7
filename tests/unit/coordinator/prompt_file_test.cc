#include "coordinator/prompt_file.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Outcome {
  absl::Status status;
  std::vector<PromptLine> lines;

  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const PromptLine& line : lines) all.push_back(line.custom_id);
    return all;
  }
};

// Reads `text` in pieces of `piece` bytes.
Outcome Read(const std::string& text, size_t piece = 7,
             size_t memory_ids = 1 << 20) {
  Outcome outcome;
  PromptFileOptions options;
  options.memory_ids = memory_ids;
  PromptFile file(options, [&](PromptLine line) {
    outcome.lines.push_back(std::move(line));
    return absl::OkStatus();
  });
  for (size_t i = 0; i < text.size() && outcome.status.ok(); i += piece) {
    outcome.status = file.Add(std::string_view(text).substr(i, piece));
  }
  if (outcome.status.ok()) outcome.status = file.Finish();
  return outcome;
}

std::string Error(const std::string& text) {
  const Outcome outcome = Read(text);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(outcome.status.message());
}

TEST(PromptFileTest, GivesTheSameLinesHoweverTheBytesAreCut) {
  const std::string text =
      "{\"prompt\":\"a\"}\r\n\n  \t\n{\"prompt\":\"b\",\"custom_id\":\"x\"}\n"
      "{\"prompt\":\"c\"}";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    const Outcome outcome = Read(text, piece);

    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_THAT(outcome.ids(), ElementsAre("0", "x", "2"));
    EXPECT_EQ(outcome.lines[2].line, 2);
    EXPECT_EQ(outcome.lines[2].prompt, "c");
  }
}

TEST(PromptFileTest, IgnoresAByteOrderMark) {
  EXPECT_TRUE(Read("\xEF\xBB\xBF{\"prompt\":\"a\"}\n").status.ok());
}

TEST(PromptFileTest, RefusesAFileWithoutPrompts) {
  EXPECT_THAT(Error(""), HasSubstr("no prompts"));
  EXPECT_THAT(Error("\n \n\r\n"), HasSubstr("no prompts"));
  EXPECT_THAT(Error("\xEF\xBB\xBF"), HasSubstr("no prompts"));
}

TEST(PromptFileTest, CountsBlankLinesInMessages) {
  EXPECT_EQ(Error("{\"prompt\":\"a\"}\n\n{\"prompt\":\"b\",\"width\":513}\n"),
            "line 3: width: must be a multiple of 8, got 513");
}

TEST(PromptFileTest, CollectsTheFirstTenErrorsThenStops) {
  std::string text;
  for (int i = 0; i < 15; ++i) text += "[]\n";

  const std::string error = Error(text);

  EXPECT_THAT(error, StartsWith("line 1: must be a JSON object"));
  EXPECT_THAT(error, HasSubstr("line 10: "));
  EXPECT_THAT(error, HasSubstr("the first ten errors"));
  EXPECT_THAT(error, Not(HasSubstr("line 11: ")));
}

TEST(PromptFileTest, HandsNothingOnAfterAnError) {
  const Outcome outcome = Read("[]\n{\"prompt\":\"a\"}\n");

  EXPECT_FALSE(outcome.status.ok());
  EXPECT_THAT(outcome.lines, IsEmpty());
}

TEST(PromptFileTest, ReturnsTheErrorOfTheSink) {
  PromptFile file(
      {}, [](PromptLine) { return absl::ResourceExhaustedError("disk full"); });

  EXPECT_EQ(file.Add("{\"prompt\":\"a\"}\n").code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(PromptFileTest, RefusesALineAboveOneMebibyteWithoutKeepingIt) {
  const std::string line = "{\"prompt\":\"a\"}";
  const std::string padding(kMaxLineBytes - line.size(), ' ');

  EXPECT_TRUE(Read(line + padding + "\r\n", 4096).status.ok());
  EXPECT_EQ(Error(line + "\n" + line + padding + " \n"),
            "line 2: longer than 1048576 bytes");
  EXPECT_EQ(Error(std::string(3 << 20, 'x')),
            "line 1: longer than 1048576 bytes");
}

TEST(PromptFileTest, RefusesACustomIdThatIsUsedTwice) {
  EXPECT_EQ(Error("{\"prompt\":\"a\",\"custom_id\":\"x\"}\n\n"
                  "{\"prompt\":\"b\",\"custom_id\":\"x\"}\n"),
            "line 3: custom_id: already used by line 1");
}

TEST(PromptFileTest, AnExplicitIdMayNotBeTheIndexOfALineWithoutOne) {
  EXPECT_EQ(Error("{\"prompt\":\"a\"}\n{\"prompt\":\"b\",\"custom_id\":\"0\"}"),
            "line 2: custom_id: is the index of an earlier line without one");
  EXPECT_EQ(Error("{\"prompt\":\"b\",\"custom_id\":\"1\"}\n{\"prompt\":\"a\"}"),
            "line 2: custom_id: already used by line 1");
  // "01" is not how an index is written.
  EXPECT_TRUE(
      Read("{\"prompt\":\"a\"}\n{\"prompt\":\"b\",\"custom_id\":\"00\"}")
          .status.ok());
}

TEST(PromptFileTest, FindsRepeatedIdsThatNoLongerFitInMemory) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&text, "{\"prompt\":\"a\",\"custom_id\":\"id-", i % 97,
                    "\"}\n");
  }

  const Outcome outcome = Read(text, 1000, /*memory_ids=*/10);

  EXPECT_EQ(outcome.status.message(),
            "line 98: custom_id: already used by line 1\n"
            "line 99: custom_id: already used by line 2\n"
            "line 100: custom_id: already used by line 3");
}

TEST(PromptFileTest, AcceptsManyDistinctIdsBeyondMemory) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    absl::StrAppend(&text, "{\"prompt\":\"a\",\"custom_id\":\"id-", i, "\"}\n");
  }

  const Outcome outcome = Read(text, 4096, /*memory_ids=*/64);

  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.lines.size(), 5000u);
}

}  // namespace
}  // namespace tessera::coordinator

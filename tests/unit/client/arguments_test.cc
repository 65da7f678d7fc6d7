#include "client/arguments.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandSpec Spec() {
  return {"submit",
          "PROMPTS",
          "submits",
          {{"out", "DIR", "folder"},
           {"lora", "NAME", "may be repeated"},
           {"steps", "N", "steps"},
           {"seed", "N", "seed"},
           {"guidance", "X", "guidance"},
           {"watch", "", "follow"}}};
}

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words) {
  return Arguments::Parse(Spec(), words);
}

std::string Refusal(const std::vector<std::string>& words) {
  const auto arguments = Parse(words);
  EXPECT_EQ(arguments.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(arguments.status().message());
}

TEST(ArgumentsTest, FlagsStandBeforeAndAfterThePositional) {
  const auto before = Parse({"--out", "o", "--watch", "p.jsonl"});
  const auto after = Parse({"p.jsonl", "--watch", "--out=o"});

  for (const auto* arguments : {&before, &after}) {
    ASSERT_TRUE(arguments->ok()) << arguments->status();
    EXPECT_EQ((*arguments)->positional(), "p.jsonl");
    EXPECT_EQ((*arguments)->Text("out", ""), "o");
    EXPECT_TRUE((*arguments)->Has("watch"));
  }
}

TEST(ArgumentsTest, ValueMayHoldEqualsSignsAndBeEmpty) {
  const auto arguments = Parse({"p", "--lora=ink=a.safetensors", "--out="});

  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->Text("lora", ""), "ink=a.safetensors");
  EXPECT_TRUE(arguments->Has("out"));
  EXPECT_EQ(arguments->Text("out", "x"), "");
}

TEST(ArgumentsTest, LastOfARepeatedFlagWinsAndAllAreKept) {
  const auto arguments = Parse({"p", "--lora", "a", "--lora", "b"});

  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->Text("lora", ""), "b");
  EXPECT_THAT(arguments->Texts("lora"), ElementsAre("a", "b"));
  EXPECT_THAT(arguments->Texts("out"), ElementsAre());
}

TEST(ArgumentsTest, DashIsAPositionalAndTwoDashesEndTheFlags) {
  EXPECT_EQ(Parse({"-"})->positional(), "-");
  EXPECT_EQ(Parse({"--", "--odd"})->positional(), "--odd");
}

TEST(ArgumentsTest, UnknownFlagIsNamedWithTheNearest) {
  EXPECT_EQ(Refusal({"p", "--stesp", "3"}),
            "unknown flag --stesp (did you mean --steps?)");
  EXPECT_EQ(Refusal({"p", "--zzzzzzzz"}), "unknown flag --zzzzzzzz");
  EXPECT_THAT(Refusal({"p", "-x"}), HasSubstr("unknown flag --x"));
}

TEST(ArgumentsTest, MissingAndSuperfluousWordsAreRefused) {
  EXPECT_THAT(Refusal({"p", "--out"}), HasSubstr("--out: a value is wanted"));
  EXPECT_THAT(Refusal({"p", "--watch=1"}), HasSubstr("takes no value"));
  EXPECT_THAT(Refusal({}), HasSubstr("an argument is missing: PROMPTS"));
  EXPECT_THAT(Refusal({"a", "b"}), HasSubstr("unexpected argument: b"));
}

TEST(ArgumentsTest, HelpNeedsNoPositional) {
  const auto arguments = Parse({"-h"});

  ASSERT_TRUE(arguments.ok());
  EXPECT_TRUE(arguments->Has("help"));
}

TEST(ArgumentsTest, NumbersAreCheckedAgainstTheirRange) {
  EXPECT_EQ(**Parse({"p", "--steps", "30"})->Integer("steps", 1, 1000), 30);
  EXPECT_FALSE(Parse({"p"})->Integer("steps", 1, 1000)->has_value());
  for (const char* bad : {"0", "1001", "-5", "3.5", "many", ""}) {
    const auto steps = Parse({"p", "--steps", bad})->Integer("steps", 1, 1000);
    EXPECT_THAT(std::string(steps.status().message()),
                HasSubstr("--steps: a whole number from 1 to 1000"))
        << bad;
  }
}

TEST(ArgumentsTest, SeedCoversSixtyFourBits) {
  EXPECT_EQ(**Parse({"p", "--seed", "18446744073709551615"})->Seed("seed"),
            18446744073709551615u);
  EXPECT_FALSE(
      Parse({"p", "--seed", "18446744073709551616"})->Seed("seed").ok());
  EXPECT_FALSE(Parse({"p", "--seed", "-1"})->Seed("seed").ok());
}

TEST(ArgumentsTest, RealRefusesWhatIsNoNumber) {
  EXPECT_EQ(**Parse({"p", "--guidance", "7.5"})->Real("guidance", 0, 100), 7.5);
  for (const char* bad : {"nan", "inf", "-1", "101", "x"}) {
    EXPECT_FALSE(Parse({"p", "--guidance", bad})->Real("guidance", 0, 100).ok())
        << bad;
  }
}

TEST(FindCommandTest, FlagsMayPrecedeTheCommand) {
  const CommandSpec spec = Spec();

  const CommandLine line = FindCommand(
      {&spec}, {"--coordinator", "a:1", "--json", "submit", "p", "--watch"});

  EXPECT_EQ(line.command, "submit");
  EXPECT_THAT(line.words,
              ElementsAre("--coordinator", "a:1", "--json", "p", "--watch"));
}

TEST(FindCommandTest, ValueGivenWithEqualsDoesNotSwallowTheCommand) {
  const CommandSpec spec = Spec();

  EXPECT_EQ(FindCommand({&spec}, {"--coordinator=a:1", "submit"}).command,
            "submit");
  EXPECT_EQ(FindCommand({&spec}, {"--help"}).command, "");
}

TEST(HelpTest, NamesEveryFlag) {
  const std::string help = Help(Spec());

  for (const FlagSpec& flag : Spec().flags) {
    EXPECT_THAT(help, HasSubstr("--" + std::string(flag.name)));
  }
  EXPECT_THAT(help, HasSubstr("--coordinator HOST:PORT"));
}

}  // namespace
}  // namespace tessera::client

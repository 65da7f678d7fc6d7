#include "client/job_flags.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

absl::StatusOr<v1::JobHeader> Header(std::vector<std::string> words) {
  words.push_back("prompts.jsonl");
  const CommandSpec spec{"submit", "PROMPTS", "", WithJobFlags({})};
  const auto arguments = Arguments::Parse(spec, words);
  if (!arguments.ok()) return arguments.status();
  return MakeJobHeader(*arguments);
}

TEST(JobFlagsTest, NothingGivenLeavesTheServicesDefaults) {
  const auto header = Header({"--out", "/tmp/x"});

  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_FALSE(header->defaults().has_num_inference_steps());
  EXPECT_FALSE(header->defaults().has_guidance_scale());
  EXPECT_FALSE(header->defaults().has_width());
  EXPECT_FALSE(header->has_max_failed_images());
  EXPECT_FALSE(header->allow_unmatched_loras());
  EXPECT_EQ(header->shard_size(), 0);
}

TEST(JobFlagsTest, EveryFlagReachesTheHeader) {
  const auto header =
      Header({"--out", "/tmp/x", "--steps", "12", "--guidance", "6.5", "--size",
              "128x64", "--sampler", "euler", "--negative-prompt", "blur",
              "--seed", "18446744073709551615", "--shard-size", "7",
              "--max-failed", "0", "--allow-unmatched"});

  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->output_uri(), "/tmp/x");
  EXPECT_EQ(header->defaults().num_inference_steps(), 12);
  EXPECT_FLOAT_EQ(header->defaults().guidance_scale(), 6.5f);
  EXPECT_EQ(header->defaults().width(), 128);
  EXPECT_EQ(header->defaults().height(), 64);
  EXPECT_EQ(header->defaults().sampler(), "euler");
  EXPECT_EQ(header->defaults().negative_prompt(), "blur");
  EXPECT_EQ(header->seed(), 18446744073709551615u);
  EXPECT_EQ(header->shard_size(), 7);
  EXPECT_TRUE(header->has_max_failed_images());
  EXPECT_EQ(header->max_failed_images(), 0);
  EXPECT_TRUE(header->allow_unmatched_loras());
}

TEST(JobFlagsTest, RequestIdsAreNewEachTime) {
  const auto first = Header({"--out", "x"});
  const auto second = Header({"--out", "x"});

  EXPECT_THAT(first->request_id(), StartsWith("req-"));
  EXPECT_LE(first->request_id().size(), 64u);
  EXPECT_NE(first->request_id(), second->request_id());
}

TEST(JobFlagsTest, BadValuesNameTheirFlag) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"--steps", "0"},       {"--steps", "1001"}, {"--guidance", "nan"},
      {"--size", "513x512"},  {"--size", "512"},   {"--size", "32x64"},
      {"--size", "64x8192"},  {"--seed", "-1"},    {"--shard-size", "0"},
      {"--max-failed", "-2"}, {"--size", "64x"},   {"--size", "x64"},
  };
  for (const auto& [flag, value] : cases) {
    const auto header = Header({"--out", "x", flag, value});
    EXPECT_THAT(std::string(header.status().message()), StartsWith(flag))
        << value;
  }
  EXPECT_THAT(std::string(Header({}).status().message()), HasSubstr("--out"));
}

TEST(ParseLoraTest, ScaleIsOneUnlessGiven) {
  EXPECT_EQ(ParseLora("ink")->name(), "ink");
  EXPECT_EQ(ParseLora("ink")->scale(), 1);
  EXPECT_EQ(ParseLora("ink:-0.5")->scale(), -0.5f);
  for (const char* bad : {"", ":1", "ink:", "ink:x", "ink:inf"}) {
    EXPECT_FALSE(ParseLora(bad).ok()) << bad;
  }
}

TEST(AbsoluteUriTest, FoldersBecomeAbsoluteAndUrisStay) {
  const std::string here = std::filesystem::current_path().string();

  EXPECT_EQ(AbsoluteUri("out"), here + "/out");
  EXPECT_EQ(AbsoluteUri("./a/../b/"), here + "/b");
  EXPECT_EQ(AbsoluteUri("/x/y"), "/x/y");
  EXPECT_EQ(AbsoluteUri("s3://bucket/x"), "s3://bucket/x");
}

}  // namespace
}  // namespace tessera::client

#include "coordinator/prompt_line.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

PromptLineParser MakeParser() {
  PromptLineOptions options;
  options.defaults.num_inference_steps = 20;
  options.defaults.negative_prompt = "blurry";
  options.defaults.loras = {{"ink", 0.5f}};
  options.known_loras = {"ink", "pixel"};
  return PromptLineParser(std::move(options));
}

PromptLine Parsed(const std::string& text) {
  auto line = MakeParser().Parse(text);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.value_or(PromptLine());
}

std::string Error(const std::string& text) {
  const auto line = MakeParser().Parse(text);
  EXPECT_EQ(line.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(line.status().message());
}

TEST(PromptLineTest, FillsInTheDefaultsOfTheJob) {
  const PromptLine line = Parsed(R"({"prompt": "a red apple"})");

  EXPECT_EQ(line.prompt, "a red apple");
  EXPECT_EQ(line.custom_id, "");
  EXPECT_EQ(line.negative_prompt, "blurry");
  EXPECT_EQ(line.num_inference_steps, 20);
  EXPECT_EQ(line.guidance_scale, 7.5f);
  EXPECT_EQ(line.num_images_per_prompt, 1);
  EXPECT_FALSE(line.seed.has_value());
  ASSERT_EQ(line.loras.size(), 1u);
  EXPECT_EQ(line.loras[0].name, "ink");
}

TEST(PromptLineTest, ReadsEveryField) {
  const PromptLine line =
      Parsed(R"({"custom_id":"a.1-b_C","prompt":"über 🍎","negative_prompt":"",)"
             R"("seed":18446744073709551615,"num_images_per_prompt":1024,)"
             R"("num_inference_steps":1000,"guidance_scale":0,"width":64,)"
             R"("height":4096,"sampler":"EulerDiscreteScheduler",)"
             R"("loras":[{"name":"pixel","scale":-0.25},{"name":"ink"}]})");

  EXPECT_EQ(line.custom_id, "a.1-b_C");
  EXPECT_EQ(line.prompt, "über 🍎");
  EXPECT_EQ(line.negative_prompt, "");
  EXPECT_EQ(line.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(line.num_images_per_prompt, 1024);
  EXPECT_EQ(line.num_inference_steps, 1000);
  EXPECT_EQ(line.guidance_scale, 0);
  EXPECT_EQ(line.width, 64);
  EXPECT_EQ(line.height, 4096);
  EXPECT_EQ(line.sampler, "euler");
  ASSERT_EQ(line.loras.size(), 2u);
  EXPECT_EQ(line.loras[0].scale, -0.25f);
  EXPECT_EQ(line.loras[1].scale, 1);
}

TEST(PromptLineTest, AnEmptyListOfLorasOverridesTheDefault) {
  EXPECT_TRUE(Parsed(R"({"prompt":"a","loras":[]})").loras.empty());
}

TEST(PromptLineTest, AcceptsTheNamesUsersKnowForSamplers) {
  for (const char* name : {"ddim", "DDIM", "DDIMScheduler"}) {
    EXPECT_EQ(Parsed(std::string(R"({"prompt":"a","sampler":")") + name + "\"}")
                  .sampler,
              "ddim");
  }
  EXPECT_EQ(Parsed(R"({"prompt":"a","sampler":"Euler"})").sampler, "euler");
}

TEST(PromptLineTest, SaysWhyALineIsNoObject) {
  EXPECT_THAT(Error(R"({"prompt": )"), StartsWith("not valid JSON"));
  EXPECT_THAT(Error(R"({"prompt":"a"} x)"), StartsWith("not valid JSON"));
  EXPECT_THAT(Error(R"({"prompt":"a","seed":1e400})"),
              HasSubstr("number is malformed or out of range"));
  EXPECT_THAT(Error(R"({"prompt":"a","guidance_scale":NaN})"),
              StartsWith("not valid JSON"));
  EXPECT_EQ(Error("{\"prompt\":\"\xff\xfe\"}"), "not valid UTF-8");
  EXPECT_EQ(Error("[1,2]"), "must be a JSON object, got an array");
  EXPECT_EQ(Error("\"a\""), "must be a JSON object, got \"a\"");
}

TEST(PromptLineTest, RefusesDeeplyNestedJson) {
  const std::string open(5000, '[');

  EXPECT_THAT(Error(R"({"prompt":"a","loras":)" + open),
              StartsWith("not valid JSON"));
}

TEST(PromptLineTest, NamesUnknownRepeatedAndMissingFields) {
  EXPECT_EQ(Error(R"({"prompt":"a","promt":"b"})"), "promt: unknown field");
  EXPECT_EQ(Error(R"({"prompt":"a","prompt":"b"})"), "prompt: given twice");
  EXPECT_EQ(Error(R"({"seed":1})"), "prompt: is missing");
  EXPECT_EQ(Error("{}"), "prompt: is missing");
  EXPECT_THAT(Error(R"({")" + std::string(100000, 'x') + R"(":1})"),
              HasSubstr("x…: unknown field"));
}

TEST(PromptLineTest, NamesTheFieldAndTheReason) {
  struct {
    const char* fields;
    const char* message;
  } cases[] = {
      {R"("prompt":3)", "prompt: must be a string, got 3"},
      {R"("prompt":null)", "prompt: must be a string, got null"},
      {R"("prompt":"a\u0000b")", "prompt: must not hold U+0000"},
      {R"("prompt":"a","width":513)",
       "width: must be a multiple of 8, got 513"},
      {R"("prompt":"a","width":1048576)",
       "width: must be from 64 to 4096, got 1048576"},
      {R"("prompt":"a","height":512.0)",
       "height: must be an integer, got the fraction 512"},
      {R"("prompt":"a","num_inference_steps":0)",
       "num_inference_steps: must be from 1 to 1000, got 0"},
      {R"("prompt":"a","num_inference_steps":-5)",
       "num_inference_steps: must be from 1 to 1000, got -5"},
      {R"("prompt":"a","guidance_scale":"nan")",
       "guidance_scale: must be a number, got \"nan\""},
      {R"("prompt":"a","guidance_scale":100.5)",
       "guidance_scale: must be from 0 to 100, got 100.5"},
      {R"("prompt":"a","num_images_per_prompt":0)",
       "num_images_per_prompt: must be from 1 to 1024, got 0"},
      {R"("prompt":"a","sampler":"quantum")",
       "sampler: must be one of ddim, euler, got \"quantum\""},
      {R"("prompt":"a","loras":[{"name":"nope"}])",
       "loras: no LoRA named \"nope\" is registered"},
      {R"("prompt":"a","loras":[{"scale":1}])", "loras: a name is missing"},
      {R"("prompt":"a","loras":[{"name":"ink"},{"name":"ink"}])",
       "loras: \"ink\" is named twice"},
      {R"("prompt":"a","loras":[{"name":"ink","weight":1}])",
       "loras: unknown field \"weight\""},
      {R"("prompt":"a","loras":["ink"])",
       "loras: must be an array of objects, got \"ink\""},
  };
  for (const auto& bad : cases) {
    EXPECT_EQ(Error(absl::StrCat("{", bad.fields, "}")), bad.message);
  }
}

TEST(PromptLineTest, RefusesSeedsThatDoNotFit) {
  for (const char* seed : {"-1", "1.5", "\"7\"", "true"}) {
    EXPECT_THAT(Error(std::string(R"({"prompt":"a","seed":)") + seed + "}"),
                StartsWith("seed: must be an integer from 0 to"));
  }
  // Wider than 64 bits: not a number that JSON readers agree on.
  EXPECT_THAT(Error(R"({"prompt":"a","seed":18446744073709551616})"),
              StartsWith("not valid JSON"));
}

TEST(PromptLineTest, RefusesCustomIdsThatAreNoFileNames) {
  for (const char* id :
       {"", "../../etc/passwd", ".hidden", "a/b", "a b", "é"}) {
    EXPECT_THAT(
        Error(std::string(R"({"prompt":"a","custom_id":")") + id + "\"}"),
        StartsWith("custom_id: must be 1 to 64 of letters"));
  }
  const std::string longest(64, 'a');
  EXPECT_EQ(
      Parsed(R"({"prompt":"a","custom_id":")" + longest + "\"}").custom_id,
      longest);
  Error(R"({"prompt":"a","custom_id":"a)" + longest + "\"}");
}

TEST(PromptLineTest, RefusesPromptsAbove64KiB) {
  const std::string longest(64 << 10, 'a');

  EXPECT_EQ(Parsed(R"({"prompt":")" + longest + "\"}").prompt, longest);
  EXPECT_THAT(Error(R"({"prompt":"a)" + longest + "\"}"),
              StartsWith("prompt: must be at most 65536 bytes"));
}

TEST(PromptLineTest, RefusesLoraScalesThatAreNotFiniteInSinglePrecision) {
  EXPECT_THAT(Error(R"({"prompt":"a","loras":[{"name":"ink","scale":1e39}]})"),
              StartsWith("loras: scale must be finite"));
}

}  // namespace
}  // namespace tessera::coordinator

#include "worker/generation_parameters.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ModelFacts Model() { return {"emoji-sd", "0123456789abcdef", "ddim", 128, 64}; }

ImageTask Task() {
  ImageTask task;
  task.prompt = "a red apple";
  task.seed = 1;
  task.num_inference_steps = 20;
  return task;
}

TEST(GenerationParametersTest, NamesEverythingInOrder) {
  ImageTask task = Task();
  task.negative_prompt = "blurry";

  EXPECT_EQ(GenerationParameters(task, Model()),
            "a red apple\n"
            "Negative prompt: blurry\n"
            "Steps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 1, "
            "Size: 128x64, Model: emoji-sd, Model hash: 0123456789, "
            "Version: tessera " TESSERA_VERSION);
}

TEST(GenerationParametersTest, LeavesOutAnEmptyNegativePrompt) {
  EXPECT_THAT(GenerationParameters(Task(), Model()),
              StartsWith("a red apple\nSteps: 20"));
}

TEST(GenerationParametersTest, TaskOverridesTheModel) {
  ImageTask task = Task();
  task.sampler = "euler";
  task.width = 512;
  task.height = 768;
  task.guidance_scale = 7;

  const std::string text = GenerationParameters(task, Model());

  EXPECT_THAT(text, HasSubstr("Sampler: Euler, CFG scale: 7, "));
  EXPECT_THAT(text, HasSubstr("Size: 512x768"));
}

TEST(GenerationParametersTest, WritesTheLargestSeedInFull) {
  ImageTask task = Task();
  task.seed = 18446744073709551615u;

  EXPECT_THAT(GenerationParameters(task, Model()),
              HasSubstr("Seed: 18446744073709551615,"));
}

TEST(GenerationParametersTest, LorasOfStrengthZeroAreNotNamed) {
  ImageTask plain{.prompt = "a red apple", .seed = 1};
  ImageTask zero = plain;
  zero.loras = {{"ink", 0.0f}, {"pixel", -0.0f}};

  EXPECT_EQ(GenerationParameters(zero, {}), GenerationParameters(plain, {}));
}

TEST(GenerationParametersTest, NamesLorasAsPromptsDo) {
  ImageTask task = Task();
  task.loras = {{"ink", 0.8f}, {"pixel", -1.0f}};

  EXPECT_THAT(GenerationParameters(task, Model()),
              StartsWith("a red apple <lora:ink:0.8> <lora:pixel:-1>\nSteps"));
}

TEST(GenerationParametersTest, ShortDigestIsShownWhole) {
  ModelFacts model = Model();
  model.digest = "abc";

  EXPECT_THAT(GenerationParameters(Task(), model),
              HasSubstr("Model hash: abc,"));
}

}  // namespace
}  // namespace tessera::worker

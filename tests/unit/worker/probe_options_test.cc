#include "worker/probe_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

using ::testing::HasSubstr;

TEST(ProbeOptionsTest, ReadsEveryFlag) {
  const auto options = ParseProbeOptions({"--model",
                                          "m",
                                          "--dump=o",
                                          "--prompt",
                                          "--odd",
                                          "--negative-prompt",
                                          "",
                                          "--seed",
                                          "18446744073709551615",
                                          "--steps",
                                          "20",
                                          "--guidance",
                                          "5.5",
                                          "--sampler",
                                          "euler",
                                          "--width",
                                          "128",
                                          "--height",
                                          "64",
                                          "--init-latents",
                                          "x.npy",
                                          "--device",
                                          "cuda:1",
                                          "--threads",
                                          "2"});

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->model, "m");
  EXPECT_EQ(options->dump, "o");
  EXPECT_EQ(options->prompt, "--odd");
  EXPECT_EQ(options->seed, 18446744073709551615u);
  EXPECT_EQ(options->steps, 20);
  EXPECT_EQ(options->guidance, 5.5f);
  EXPECT_EQ(options->sampler, "euler");
  EXPECT_EQ(options->width, 128);
  EXPECT_EQ(options->height, 64);
  EXPECT_EQ(options->init_latents, "x.npy");
  EXPECT_EQ(options->threads, 2);
  EXPECT_EQ(options->device, "cuda:1");
}

TEST(ProbeOptionsTest, SplitsLorasAtTheLastColon) {
  const auto options = ParseProbeOptions(
      {"--model=m", "--check", "--lora", "a:b:-0.5", "--lora", "c"});

  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_EQ(options->loras.size(), size_t{2});
  EXPECT_EQ(options->loras[0].file, "a:b");
  EXPECT_EQ(options->loras[0].scale, -0.5f);
  EXPECT_EQ(options->loras[1].file, "c");
  EXPECT_EQ(options->loras[1].scale, 1.0f);
}

TEST(ProbeOptionsTest, NamesWhatIsWrong) {
  const auto message = [](const std::vector<std::string>& arguments) {
    return std::string(ParseProbeOptions(arguments).status().message());
  };

  EXPECT_THAT(message({}), HasSubstr("--model"));
  EXPECT_THAT(message({"--model=m"}), HasSubstr("--dump"));
  EXPECT_THAT(message({"--models=m"}), HasSubstr("--models"));
  EXPECT_THAT(message({"--model"}), HasSubstr("no value"));
  EXPECT_THAT(message({"--model=m", "--seed=-1"}), HasSubstr("--seed"));
  EXPECT_THAT(message({"--model=m", "--guidance=nan"}),
              HasSubstr("--guidance"));
  EXPECT_THAT(message({"--model=m", "--lora=a:x"}), HasSubstr("--lora"));
  EXPECT_THAT(message({"m"}), HasSubstr("unknown argument"));
}

TEST(ProbeOptionsTest, HelpNeedsNothingElse) {
  EXPECT_TRUE(ParseProbeOptions({"--help"})->help);
  EXPECT_THAT(std::string(ProbeHelp()), HasSubstr("--init-latents"));
}

}  // namespace
}  // namespace tessera::worker

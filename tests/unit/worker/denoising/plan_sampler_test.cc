// Names of samplers, and the numbers of steps that a schedule allows.
#include <climits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/denoising/sampler_values.h"
#include "worker/model/sampler.h"

namespace tessera::model {
namespace {

using tessera::testing::IsOk;
using tessera::testing::IsOkAndHolds;
using tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(PlanSamplerTest, EveryNameOfASamplerIsKnown) {
  for (const std::string name : {"ddim", "DDIM", "DDIMScheduler"}) {
    EXPECT_THAT(SamplerShortName(name), IsOkAndHolds("ddim")) << name;
  }
  for (const std::string name : {"euler", "Euler", "EulerDiscreteScheduler"}) {
    EXPECT_THAT(SamplerShortName(name), IsOkAndHolds("euler")) << name;
  }
}

TEST(PlanSamplerTest, UnknownNameIsQuotedBesideTheKnownOnes) {
  for (const std::string name : {"", "dDiM", "euler ", "PNDMScheduler"}) {
    EXPECT_THAT(SamplerShortName(name).status(),
                StatusIs(kInvalid, AllOf(StartsWith("sampler: "),
                                         HasSubstr("\"" + name + "\""),
                                         HasSubstr("known: ddim, euler"))))
        << name;
  }
  EXPECT_THAT(PlanSampler("heun", StableDiffusionConfig(), 20).status(),
              StatusIs(kInvalid, HasSubstr("unknown name \"heun\"")));
}

TEST(PlanSamplerTest, LabelsAreThoseOfA1111) {
  EXPECT_EQ(SamplerLabel("ddim"), "DDIM");
  EXPECT_EQ(SamplerLabel("euler"), "Euler");
  // A label goes into a picture's text whatever it is.
  EXPECT_EQ(SamplerLabel("heun"), "heun");
}

TEST(PlanSamplerTest, EmptyNameTakesTheModelsOwnSampler) {
  SamplerConfig config = StableDiffusionConfig();

  config.sampler = "euler";
  const auto euler = PlanSampler("", config, 20);
  config.sampler = "ddim";
  const auto ddim = PlanSampler("", config, 20);

  // DDIM starts at unit noise, Euler far above.
  ASSERT_THAT(euler, IsOk());
  ASSERT_THAT(ddim, IsOk());
  EXPECT_GT(euler->init_noise_sigma, 2.0f);
  EXPECT_EQ(ddim->init_noise_sigma, 1.0f);
}

TEST(PlanSamplerTest, NameOutranksTheModelsOwnSampler) {
  SamplerConfig config = StableDiffusionConfig();
  config.sampler = "euler";

  const auto plan = PlanSampler("ddim", config, 20);

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->init_noise_sigma, 1.0f);
}

TEST(PlanSamplerTest, NumbersOfStepsBeyondTheScheduleAreRefused) {
  for (const auto spacing :
       {TimestepSpacing::kLeading, TimestepSpacing::kTrailing,
        TimestepSpacing::kLinspace}) {
    SamplerConfig config = StableDiffusionConfig();
    config.timestep_spacing = spacing;
    for (const std::string name : {"ddim", "euler"}) {
      for (const int steps : {INT_MIN, -1, 0, 1001, INT_MAX}) {
        EXPECT_THAT(
            PlanSampler(name, config, steps).status(),
            StatusIs(kInvalid,
                     AllOf(StartsWith("num_inference_steps: "),
                           HasSubstr("of 1000 steps"),
                           HasSubstr("allow " + std::to_string(steps)))));
      }
      EXPECT_THAT(PlanSampler(name, config, 1), IsOk());
      EXPECT_THAT(PlanSampler(name, config, 1000), IsOk());
    }
  }
}

TEST(PlanSamplerTest, OffsetBeyondTheScheduleIsRefusedForLeadingSteps) {
  SamplerConfig config = StableDiffusionConfig();
  config.steps_offset = 1;
  // 999 strides of 1 and the offset make 1000, one too many; with 999 steps
  // the noisiest is 999.
  EXPECT_THAT(PlanSampler("ddim", config, 1000).status(), StatusIs(kInvalid));
  EXPECT_THAT(PlanSampler("euler", config, 1000).status(), StatusIs(kInvalid));
  EXPECT_THAT(PlanSampler("ddim", config, 999), IsOk());

  config.steps_offset = 1000;
  EXPECT_THAT(PlanSampler("ddim", config, 1).status(), StatusIs(kInvalid));

  config.timestep_spacing = TimestepSpacing::kTrailing;
  EXPECT_THAT(PlanSampler("ddim", config, 1000), IsOk());
}

TEST(PlanSamplerTest, ShortScheduleAllowsAsManySteps) {
  SamplerConfig config = StableDiffusionConfig();
  config.num_train_timesteps = 50;

  EXPECT_THAT(PlanSampler("ddim", config, 50), IsOk());
  EXPECT_THAT(PlanSampler("ddim", config, 51).status(),
              StatusIs(kInvalid, HasSubstr("of 50 steps does not allow 51")));
}

}  // namespace
}  // namespace tessera::model

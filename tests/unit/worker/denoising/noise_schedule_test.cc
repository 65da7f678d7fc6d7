#include "worker/model/noise_schedule.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/denoising/sampler_values.h"

namespace tessera::model {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr TimestepSpacing kSpacings[] = {TimestepSpacing::kLeading,
                                         TimestepSpacing::kTrailing,
                                         TimestepSpacing::kLinspace};

TEST(NoiseScheduleTest, AlphasAreThoseOfDiffusers) {
  for (const auto& alphas : SamplerValues("alphas")) {
    const SamplerConfig config = ConfigOf(alphas);
    const std::vector<float> got = AlphasCumprod(config);
    ASSERT_THAT(got, SizeIs(config.num_train_timesteps));
    const std::vector<float> want = FloatsOf(alphas["values"]);
    // Diffusers goes back to betas when it rescales, in f32: 1000 roundings.
    const double tolerance = config.rescale_betas_zero_snr ? 3e-5 : 1e-6;
    for (size_t i = 0; i < want.size(); ++i) {
      const auto index = alphas["indices"][i].get<size_t>();
      EXPECT_NEAR(got[index], want[i], tolerance * want[i] + 1e-9)
          << alphas["betas"] << " rescaled " << alphas["rescale"] << " of "
          << alphas["train"] << ", step " << index;
    }
  }
}

TEST(NoiseScheduleTest, SignalFallsWithEveryStep) {
  for (const auto& alphas : SamplerValues("alphas")) {
    const std::vector<float> values = AlphasCumprod(ConfigOf(alphas));
    EXPECT_LT(values.front(), 1.0f);
    EXPECT_GE(values.back(), 0.0f);
    for (size_t i = 1; i < values.size(); ++i) {
      ASSERT_LT(values[i], values[i - 1]) << alphas["betas"] << ", step " << i;
    }
  }
}

TEST(NoiseScheduleTest, RescaledScheduleEndsInPureNoise) {
  SamplerConfig config = StableDiffusionConfig();
  const float first = AlphasCumprod(config).front();

  config.rescale_betas_zero_snr = true;

  const std::vector<float> rescaled = AlphasCumprod(config);
  EXPECT_EQ(rescaled.back(), 0.0f);
  EXPECT_NEAR(rescaled.front(), first, 1e-6);
}

TEST(NoiseScheduleTest, EqualBetasGiveAGeometricSchedule) {
  SamplerConfig config = StableDiffusionConfig();
  config.beta_schedule = BetaSchedule::kLinear;
  config.beta_start = config.beta_end = 0.25;
  config.num_train_timesteps = 4;

  EXPECT_THAT(AlphasCumprod(config),
              ElementsAre(0.75f, 0.5625f, 0.421875f, 0.31640625f));
}

TEST(NoiseScheduleTest, TimestepsAreThoseOfDiffusers) {
  for (const auto& wanted : SamplerValues("timesteps")) {
    const std::vector<double> steps =
        SpacedTimesteps(ConfigOf(wanted), wanted["steps"].get<int>(),
                        wanted["sampler"] == "euler");
    EXPECT_EQ(std::vector<float>(steps.begin(), steps.end()),
              FloatsOf(wanted["values"]))
        << wanted["sampler"] << ", " << wanted["spacing"] << ", "
        << wanted["steps"] << " steps";
  }
}

TEST(NoiseScheduleTest, LeadingStepsAreMultiplesOfTheStrideAndTheOffset) {
  SamplerConfig config = StableDiffusionConfig();
  EXPECT_THAT(SpacedTimesteps(config, 4, false), ElementsAre(750, 500, 250, 0));

  config.steps_offset = 1;
  EXPECT_THAT(SpacedTimesteps(config, 4, false), ElementsAre(751, 501, 251, 1));
  EXPECT_THAT(SpacedTimesteps(config, 1, false), ElementsAre(1));
}

TEST(NoiseScheduleTest, TrailingStepsEndTheSchedule) {
  SamplerConfig config = StableDiffusionConfig();
  config.timestep_spacing = TimestepSpacing::kTrailing;
  config.steps_offset = 1;  // counts for leading steps only

  EXPECT_THAT(SpacedTimesteps(config, 4, false),
              ElementsAre(999, 749, 499, 249));
  EXPECT_THAT(SpacedTimesteps(config, 1, false), ElementsAre(999));
}

TEST(NoiseScheduleTest, LinspaceTakesBothEnds) {
  SamplerConfig config = StableDiffusionConfig();
  config.timestep_spacing = TimestepSpacing::kLinspace;
  config.steps_offset = 1;  // counts for leading steps only

  EXPECT_THAT(SpacedTimesteps(config, 4, false), ElementsAre(999, 666, 333, 0));
  EXPECT_THAT(SpacedTimesteps(config, 1, false), ElementsAre(0));
  // 499.5 is rounded to the even neighbour.
  EXPECT_THAT(SpacedTimesteps(config, 3, false), ElementsAre(999, 500, 0));
  EXPECT_THAT(SpacedTimesteps(config, 3, true), ElementsAre(999, 499.5, 0));
}

TEST(NoiseScheduleTest, EveryNumberOfStepsFallsWithinTheSchedule) {
  for (const TimestepSpacing spacing : kSpacings) {
    SamplerConfig config = StableDiffusionConfig();
    config.timestep_spacing = spacing;
    for (int count = 1; count <= 1000; ++count) {
      for (const bool fractional : {false, true}) {
        const std::vector<double> steps =
            SpacedTimesteps(config, count, fractional);
        ASSERT_THAT(steps, SizeIs(count));
        ASSERT_LE(steps.front(), 999);
        ASSERT_GE(steps.back(), 0);
        for (size_t i = 1; i < steps.size(); ++i) {
          ASSERT_LT(steps[i], steps[i - 1])
              << static_cast<int>(spacing) << ", " << count << ", step " << i;
        }
        if (fractional) continue;
        for (const double t : steps) ASSERT_EQ(t, std::floor(t));
      }
    }
  }
}

TEST(NoiseScheduleTest, AllStepsOfTrainingAreTakenInTurn) {
  for (const TimestepSpacing spacing : kSpacings) {
    SamplerConfig config = StableDiffusionConfig();
    config.timestep_spacing = spacing;
    const std::vector<double> steps = SpacedTimesteps(config, 1000, false);
    for (size_t i = 0; i < steps.size(); ++i) {
      ASSERT_EQ(steps[i], 999.0 - static_cast<double>(i));
    }
  }
}

}  // namespace
}  // namespace tessera::model

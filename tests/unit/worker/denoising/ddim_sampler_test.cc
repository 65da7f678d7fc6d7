// Identities that DDIM's equation implies.
#include "worker/model/ddim_sampler.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/worker/denoising/sampler_values.h"
#include "worker/model/noise_schedule.h"

namespace tessera::model {
namespace {

// A picture and its noise; any two numbers do.
constexpr double kPicture = 0.7;
constexpr double kNoise = -1.3;

// What f32 factors leave of 50 steps; the first divides by a signal of 0.07.
constexpr double kTolerance = 1e-4;

// The numbers of steps whose stride is whole: steps then meet the timestep
// that the one before aimed at.
constexpr int kWholeStrides[] = {1, 2, 4, 5, 8, 10, 20, 25, 50};

struct Level {
  double signal;
  double noise;
};

Level LevelAt(const std::vector<float>& alphas, float timestep) {
  const double alpha = alphas[static_cast<size_t>(timestep)];
  return {std::sqrt(alpha), std::sqrt(1 - alpha)};
}

// Runs a plan with what a perfect net would predict at each step.
double RunPerfectly(const SamplerConfig& config, int steps) {
  const std::vector<float> alphas = AlphasCumprod(config);
  const SamplerPlan plan = PlanDdim(config, steps);
  const Level start = LevelAt(alphas, plan.steps[0].timestep);
  double x = start.signal * kPicture + start.noise * kNoise;
  for (const SamplerStep& step : plan.steps) {
    const Level level = LevelAt(alphas, step.timestep);
    const double v = level.signal * kNoise - level.noise * kPicture;
    const bool epsilon = config.prediction_type == PredictionType::kEpsilon;
    x = step.sample_scale * x + step.output_scale * (epsilon ? kNoise : v);
  }
  return x;
}

class DdimSamplerTest : public ::testing::TestWithParam<TimestepSpacing> {
 protected:
  DdimSamplerTest() { config_.timestep_spacing = GetParam(); }

  SamplerConfig config_ = StableDiffusionConfig();
};

TEST_P(DdimSamplerTest, StartsAtUnitNoiseAndDoesNotScaleTheInput) {
  const SamplerPlan plan = PlanDdim(config_, 20);

  EXPECT_EQ(plan.init_noise_sigma, 1.0f);
  for (const SamplerStep& step : plan.steps) EXPECT_EQ(step.input_scale, 1.0f);
}

TEST_P(DdimSamplerTest, TimestepsAreWholeAndFall) {
  for (const int steps : {1, 2, 3, 20, 999}) {
    const SamplerPlan plan = PlanDdim(config_, steps);
    ASSERT_EQ(plan.steps.size(), static_cast<size_t>(steps));
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const float t = plan.steps[i].timestep;
      EXPECT_EQ(t, std::floor(t));
      if (i == 0) continue;
      EXPECT_LT(t, plan.steps[i - 1].timestep);
    }
  }
}

TEST_P(DdimSamplerTest, StepOfNoNoiseOnlyScalesTheSignal) {
  // x' = next_signal / signal x, from equation 12 with e = 0.
  const std::vector<float> alphas = AlphasCumprod(config_);
  for (const SamplerStep& step : PlanDdim(config_, 20).steps) {
    const auto t = static_cast<size_t>(step.timestep);
    const double next = t >= 50 ? alphas[t - 50] : 1.0;
    EXPECT_NEAR(step.sample_scale, std::sqrt(next / alphas[t]), 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Spacings, DdimSamplerTest,
                         ::testing::Values(TimestepSpacing::kLeading,
                                           TimestepSpacing::kTrailing,
                                           TimestepSpacing::kLinspace));

TEST(DdimIdentityTest, PerfectPredictionRecoversThePicture) {
  for (const auto prediction :
       {PredictionType::kEpsilon, PredictionType::kVPrediction}) {
    for (const auto spacing :
         {TimestepSpacing::kLeading, TimestepSpacing::kTrailing}) {
      SamplerConfig config = StableDiffusionConfig();
      config.prediction_type = prediction;
      config.timestep_spacing = spacing;
      for (const int steps : kWholeStrides) {
        EXPECT_NEAR(RunPerfectly(config, steps), kPicture, kTolerance)
            << steps << " steps";
      }
    }
  }
}

TEST(DdimIdentityTest, WithoutAlphaOfOneTheFirstStepsNoiseStays) {
  SamplerConfig config = StableDiffusionConfig();
  config.set_alpha_to_one = false;
  const Level first = LevelAt(AlphasCumprod(config), 0);

  for (const int steps : kWholeStrides) {
    EXPECT_NEAR(RunPerfectly(config, steps),
                first.signal * kPicture + first.noise * kNoise, kTolerance)
        << steps << " steps";
  }
}

TEST(DdimIdentityTest, NoNoiseAtAllTelescopesToTheFirstSignal) {
  const SamplerConfig config = StableDiffusionConfig();
  const SamplerPlan plan = PlanDdim(config, 50);

  double x = kPicture;
  for (const SamplerStep& step : plan.steps) x *= step.sample_scale;

  const Level start = LevelAt(AlphasCumprod(config), plan.steps[0].timestep);
  EXPECT_NEAR(x * start.signal, kPicture, kTolerance);
}

TEST(DdimIdentityTest, LastStepPredictsThePicture) {
  SamplerConfig config = StableDiffusionConfig();
  config.steps_offset = 1;
  const Level level = LevelAt(AlphasCumprod(config), 1);

  const SamplerStep last = PlanDdim(config, 20).steps.back();

  EXPECT_EQ(last.timestep, 1.0f);
  EXPECT_NEAR(last.sample_scale, 1 / level.signal, 1e-6);
  EXPECT_NEAR(last.output_scale, -level.noise / level.signal, 1e-6);
}

TEST(DdimIdentityTest, LastStepFromTheFirstTimestepToItselfDoesNothing) {
  SamplerConfig config = StableDiffusionConfig();
  config.set_alpha_to_one = false;

  const SamplerStep last = PlanDdim(config, 20).steps.back();

  EXPECT_EQ(last.timestep, 0.0f);
  EXPECT_FLOAT_EQ(last.sample_scale, 1.0f);
  EXPECT_NEAR(last.output_scale, 0.0f, 1e-7);
}

TEST(DdimIdentityTest, BothPredictionsMeanTheSameStep) {
  SamplerConfig config = StableDiffusionConfig();
  const std::vector<float> alphas = AlphasCumprod(config);
  const SamplerPlan epsilon = PlanDdim(config, 20);
  config.prediction_type = PredictionType::kVPrediction;
  const SamplerPlan v = PlanDdim(config, 20);

  for (size_t i = 0; i < v.steps.size(); ++i) {
    const Level level = LevelAt(alphas, v.steps[i].timestep);
    // e = signal v + noise x (Salimans and Ho 2022, appendix D).
    const double x = 0.4, output = -0.9;
    const double e = level.signal * output + level.noise * x;
    EXPECT_NEAR(
        v.steps[i].sample_scale * x + v.steps[i].output_scale * output,
        epsilon.steps[i].sample_scale * x + epsilon.steps[i].output_scale * e,
        1e-5)
        << "step " << i;
  }
}

TEST(DdimIdentityTest, PureNoiseOfARescaledScheduleIsLeftByTheFirstStep) {
  SamplerConfig config = StableDiffusionConfig();
  config.prediction_type = PredictionType::kVPrediction;
  config.timestep_spacing = TimestepSpacing::kTrailing;
  config.rescale_betas_zero_snr = true;

  // At no signal v = -x0, whatever x is.
  const SamplerStep first = PlanDdim(config, 20).steps.front();
  const Level next = LevelAt(AlphasCumprod(config), 949);

  EXPECT_EQ(first.timestep, 999.0f);
  EXPECT_NEAR(first.sample_scale, next.noise, 1e-6);
  EXPECT_NEAR(first.output_scale, -next.signal, 1e-6);
  EXPECT_NEAR(RunPerfectly(config, 20), kPicture, kTolerance);
}

}  // namespace
}  // namespace tessera::model

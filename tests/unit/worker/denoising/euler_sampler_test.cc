// Identities that Euler's step implies.
#include "worker/model/euler_sampler.h"

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

// What f32 factors leave of a sum of sigmas of up to 160.
constexpr double kTolerance = 1e-4;

constexpr int kSteps[] = {1, 2, 3, 20, 50, 999};

// Returns the noise level of each step: they fall to zero by output_scale.
std::vector<double> Sigmas(const SamplerPlan& epsilon_plan) {
  std::vector<double> sigmas(epsilon_plan.steps.size() + 1, 0.0);
  for (size_t i = epsilon_plan.steps.size(); i > 0; --i) {
    sigmas[i - 1] = sigmas[i] - epsilon_plan.steps[i - 1].output_scale;
  }
  return sigmas;
}

class EulerSamplerTest : public ::testing::TestWithParam<TimestepSpacing> {
 protected:
  EulerSamplerTest() { config_.timestep_spacing = GetParam(); }

  SamplerPlan Plan(PredictionType prediction, int steps) {
    config_.prediction_type = prediction;
    return PlanEuler(config_, steps);
  }

  SamplerConfig config_ = StableDiffusionConfig();
};

TEST_P(EulerSamplerTest, TimestepsAndSigmasFall) {
  for (const int steps : kSteps) {
    const SamplerPlan plan = Plan(PredictionType::kEpsilon, steps);
    const std::vector<double> sigmas = Sigmas(plan);
    ASSERT_EQ(plan.steps.size(), static_cast<size_t>(steps));
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      EXPECT_LT(sigmas[i + 1], sigmas[i]);
      if (i == 0) continue;
      EXPECT_LT(plan.steps[i].timestep, plan.steps[i - 1].timestep);
    }
  }
}

TEST_P(EulerSamplerTest, SigmaOfAWholeTimestepIsThatOfTraining) {
  const std::vector<float> alphas = AlphasCumprod(config_);
  const SamplerPlan plan = Plan(PredictionType::kEpsilon, 20);
  const std::vector<double> sigmas = Sigmas(plan);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const float t = plan.steps[i].timestep;
    if (t != std::floor(t)) continue;
    const double alpha = alphas[static_cast<size_t>(t)];
    EXPECT_NEAR(sigmas[i], std::sqrt((1 - alpha) / alpha), 1e-5 * sigmas[i]);
  }
}

TEST_P(EulerSamplerTest, InputIsScaledToUnitVariance) {
  for (const int steps : kSteps) {
    const SamplerPlan plan = Plan(PredictionType::kEpsilon, steps);
    const std::vector<double> sigmas = Sigmas(plan);
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      // A picture of variance 1 and its noise.
      const double deviation = std::hypot(1.0, sigmas[i]);
      EXPECT_NEAR(plan.steps[i].input_scale * deviation, 1, 1e-5);
    }
  }
}

TEST_P(EulerSamplerTest, StartHasTheNoiseOfTheFirstStep) {
  for (const int steps : kSteps) {
    const SamplerPlan plan = Plan(PredictionType::kEpsilon, steps);
    const double sigma = Sigmas(plan).front();
    const double want = GetParam() == TimestepSpacing::kLeading
                            ? std::hypot(1.0, sigma)
                            : sigma;
    EXPECT_NEAR(plan.init_noise_sigma, want, 1e-5 * want) << steps;
  }
}

TEST_P(EulerSamplerTest, StepOfNoNoiseChangesNothing) {
  for (const SamplerStep& step : Plan(PredictionType::kEpsilon, 20).steps) {
    EXPECT_EQ(step.sample_scale, 1.0f);
  }
}

TEST_P(EulerSamplerTest, PerfectNoiseRecoversThePicture) {
  for (const int steps : kSteps) {
    const SamplerPlan plan = Plan(PredictionType::kEpsilon, steps);
    double x = kPicture + Sigmas(plan).front() * kNoise;
    for (const SamplerStep& step : plan.steps) {
      x = step.sample_scale * x + step.output_scale * kNoise;
    }
    EXPECT_NEAR(x, kPicture, kTolerance) << steps << " steps";
  }
}

TEST_P(EulerSamplerTest, PerfectVelocityRecoversThePicture) {
  for (const int steps : kSteps) {
    const std::vector<double> sigmas =
        Sigmas(Plan(PredictionType::kEpsilon, steps));
    const SamplerPlan plan = Plan(PredictionType::kVPrediction, steps);
    double x = kPicture + sigmas.front() * kNoise;
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const SamplerStep& step = plan.steps[i];
      // v = signal e - noise x0, where signal is 1 / sqrt(sigma^2 + 1).
      const double v =
          (kNoise - sigmas[i] * kPicture) / std::hypot(1.0, sigmas[i]);
      x = step.sample_scale * x + step.output_scale * v;
    }
    EXPECT_NEAR(x, kPicture, kTolerance) << steps << " steps";
  }
}

TEST_P(EulerSamplerTest, LastStepPredictsThePicture) {
  const SamplerPlan epsilon = Plan(PredictionType::kEpsilon, 20);
  const SamplerPlan v = Plan(PredictionType::kVPrediction, 20);
  const double sigma = Sigmas(epsilon)[19];
  const double power = sigma * sigma + 1;

  // x0 = x - sigma e and x0 = x / power - v sigma / sqrt(power).
  EXPECT_NEAR(epsilon.steps[19].output_scale, -sigma, 1e-6);
  EXPECT_NEAR(v.steps[19].sample_scale, 1 / power, 1e-6);
  EXPECT_NEAR(v.steps[19].output_scale, -sigma / std::sqrt(power), 1e-6);
}

TEST_P(EulerSamplerTest, AlphaOfOneIsNoOptionOfEuler) {
  const SamplerPlan one = Plan(PredictionType::kEpsilon, 20);

  config_.set_alpha_to_one = false;

  const SamplerPlan other = Plan(PredictionType::kEpsilon, 20);
  for (size_t i = 0; i < one.steps.size(); ++i) {
    EXPECT_EQ(one.steps[i].output_scale, other.steps[i].output_scale);
  }
}

INSTANTIATE_TEST_SUITE_P(Spacings, EulerSamplerTest,
                         ::testing::Values(TimestepSpacing::kLeading,
                                           TimestepSpacing::kTrailing,
                                           TimestepSpacing::kLinspace));

TEST(EulerIdentityTest, SigmaBetweenTimestepsIsInterpolated) {
  SamplerConfig config = StableDiffusionConfig();
  config.timestep_spacing = TimestepSpacing::kLinspace;
  const std::vector<float> alphas = AlphasCumprod(config);
  const auto sigma_of = [&](size_t t) {
    return std::sqrt((1 - alphas[t]) / alphas[t]);
  };

  const SamplerPlan plan = PlanEuler(config, 3);

  EXPECT_EQ(plan.steps[1].timestep, 499.5f);
  EXPECT_NEAR(Sigmas(plan)[1], (sigma_of(499) + sigma_of(500)) / 2, 1e-5);
}

TEST(EulerIdentityTest, RescaledScheduleStartsAtASigmaNearInfinity) {
  SamplerConfig config = StableDiffusionConfig();
  config.prediction_type = PredictionType::kVPrediction;
  config.timestep_spacing = TimestepSpacing::kTrailing;
  config.rescale_betas_zero_snr = true;

  // The last alpha is 2^-24 by definition, so sigma is 2^12 but for rounding.
  const SamplerPlan plan = PlanEuler(config, 20);

  EXPECT_NEAR(plan.init_noise_sigma, 4096, 0.01);
  for (const SamplerStep& step : plan.steps) {
    EXPECT_TRUE(std::isfinite(step.sample_scale));
    EXPECT_TRUE(std::isfinite(step.output_scale));
  }
}

}  // namespace
}  // namespace tessera::model

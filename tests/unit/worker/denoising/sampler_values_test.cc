// Holds whole plans against diffusers' schedulers, with a synthetic UNet.
#include "tests/unit/worker/denoising/sampler_values.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "worker/model/sampler.h"
#include "worker/model/torch_noise.h"

namespace tessera::model {
namespace {

using tessera::testing::IsOk;

// Diffusers rounds to f32 several times a step where a plan has two factors
// made in double. The first steps of a schedule that ends near pure noise
// divide by a signal of 0.07 and less, which magnifies that.
constexpr double kRounding = 2e-5;
// The same for a thousand steps.
constexpr double kManyRoundings = 2e-4;

// At a sigma of 4096 diffusers keeps latents of thousands, whose last place is
// 5e-4, and takes a picture of about 1 from them.
constexpr double kRoundingOfThousands = 5e-4;

// Returns the bound that fits a case of the table.
double Tolerance(const nlohmann::json& wanted) {
  if (wanted["init_noise_sigma"] > 1000) return kRoundingOfThousands;
  return wanted["steps"] > 100 ? kManyRoundings : kRounding;
}

// make_sampler_values.py has the same function.
float SyntheticUnet(float x, float t) {
  return x / (1 + std::fabs(x)) + t / 4000 - 0.125f;
}

std::string Name(const nlohmann::json& table_case) {
  nlohmann::json name = table_case;
  name.erase("values");
  name.erase("after");
  name.erase("latents");
  return name.dump();
}

TEST(SamplerValuesTest, LatentsAreThoseOfDiffusersAfterEachStep) {
  for (const auto& wanted : SamplerValues("trajectories")) {
    const int steps = wanted["steps"].get<int>();
    const auto plan = PlanSampler(wanted["sampler"].get<std::string>(),
                                  ConfigOf(wanted), steps);
    ASSERT_THAT(plan, IsOk()) << Name(wanted);
    ASSERT_EQ(plan->steps.size(), static_cast<size_t>(steps));
    std::vector<float> latents = TorchNormal(11, 4);
    for (float& value : latents) value *= plan->init_noise_sigma;
    size_t kept = 0;
    for (int i = 0; i < steps; ++i) {
      const SamplerStep& step = plan->steps[static_cast<size_t>(i)];
      for (float& x : latents) {
        x = step.sample_scale * x +
            step.output_scale *
                SyntheticUnet(step.input_scale * x, step.timestep);
      }
      if (kept == wanted["after"].size() || wanted["after"][kept] != i) {
        continue;
      }
      ExpectNear(latents, FloatsOf(wanted["latents"][kept]), Tolerance(wanted),
                 Name(wanted) + " after step " + std::to_string(i));
      ++kept;
    }
    EXPECT_EQ(kept, wanted["after"].size()) << Name(wanted);
  }
}

TEST(SamplerValuesTest, InitialNoiseIsScaledAsByDiffusers) {
  for (const auto& wanted : SamplerValues("trajectories")) {
    const auto plan = PlanSampler(wanted["sampler"].get<std::string>(),
                                  ConfigOf(wanted), wanted["steps"].get<int>());
    ASSERT_THAT(plan, IsOk()) << Name(wanted);
    const auto sigma = wanted["init_noise_sigma"].get<float>();
    EXPECT_NEAR(plan->init_noise_sigma, sigma, 2e-6f * sigma) << Name(wanted);
  }
}

TEST(SamplerValuesTest, SigmasOfEulerAreThoseOfDiffusers) {
  for (auto wanted : SamplerValues("sigmas")) {
    wanted["offset"] = 1;
    const auto plan =
        PlanSampler("euler", ConfigOf(wanted), wanted["steps"].get<int>());
    ASSERT_THAT(plan, IsOk()) << Name(wanted);
    const std::vector<float> sigmas = FloatsOf(wanted["values"]);
    ASSERT_EQ(sigmas.size(), plan->steps.size() + 1);
    for (size_t i = 0; i < plan->steps.size(); ++i) {
      const SamplerStep& step = plan->steps[i];
      EXPECT_NEAR(step.output_scale, sigmas[i + 1] - sigmas[i],
                  2e-6f * sigmas[i])
          << Name(wanted) << ", step " << i;
      EXPECT_NEAR(step.input_scale, 1 / std::hypot(sigmas[i], 1.0f), 2e-6f)
          << Name(wanted) << ", step " << i;
    }
    const auto first = wanted["init_noise_sigma"].get<float>();
    EXPECT_NEAR(plan->init_noise_sigma, first, 2e-6f * first) << Name(wanted);
  }
}

}  // namespace
}  // namespace tessera::model

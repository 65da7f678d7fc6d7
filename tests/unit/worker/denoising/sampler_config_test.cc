#include "worker/model/sampler_config.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace tessera::model {
namespace {

using tessera::testing::IsOk;
using tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using nlohmann::json;

absl::StatusOr<SamplerConfig> Read(const json& object) {
  const auto file = ConfigFile::Parse(object.dump(), "scheduler.json");
  if (!file.ok()) return file.status();
  return ReadSamplerConfig(*file);
}

// Returns a config of DDIM with one field more.
json With(const std::string& field, json value) {
  json object = {{"_class_name", "DDIMScheduler"}, {"clip_sample", false}};
  object[field] = std::move(value);
  return object;
}

TEST(SamplerConfigTest, ConfigOfStableDiffusionIsRead) {
  const auto config = Read({{"_class_name", "DDIMScheduler"},
                            {"beta_start", 0.00085},
                            {"beta_end", 0.012},
                            {"beta_schedule", "scaled_linear"},
                            {"clip_sample", false},
                            {"num_train_timesteps", 500},
                            {"prediction_type", "v_prediction"},
                            {"rescale_betas_zero_snr", true},
                            {"set_alpha_to_one", false},
                            {"steps_offset", 1},
                            {"thresholding", false},
                            {"timestep_spacing", "trailing"},
                            {"trained_betas", nullptr}});

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sampler, "ddim");
  EXPECT_EQ(config->beta_start, 0.00085);
  EXPECT_EQ(config->beta_end, 0.012);
  EXPECT_EQ(config->beta_schedule, BetaSchedule::kScaledLinear);
  EXPECT_EQ(config->num_train_timesteps, 500);
  EXPECT_EQ(config->prediction_type, PredictionType::kVPrediction);
  EXPECT_TRUE(config->rescale_betas_zero_snr);
  EXPECT_FALSE(config->set_alpha_to_one);
  EXPECT_EQ(config->steps_offset, 1);
  EXPECT_EQ(config->timestep_spacing, TimestepSpacing::kTrailing);
}

TEST(SamplerConfigTest, AbsentFieldsTakeTheDefaultsOfTheClass) {
  // Signatures of DDIMScheduler and EulerDiscreteScheduler in diffusers.
  const auto ddim =
      Read({{"_class_name", "DDIMScheduler"}, {"clip_sample", false}});
  const auto euler = Read({{"_class_name", "EulerDiscreteScheduler"}});

  ASSERT_THAT(ddim, IsOk());
  ASSERT_THAT(euler, IsOk());
  EXPECT_EQ(ddim->timestep_spacing, TimestepSpacing::kLeading);
  EXPECT_EQ(euler->timestep_spacing, TimestepSpacing::kLinspace);
  for (const SamplerConfig& config : {*ddim, *euler}) {
    EXPECT_EQ(config.num_train_timesteps, 1000);
    EXPECT_EQ(config.beta_start, 0.0001);
    EXPECT_EQ(config.beta_end, 0.02);
    EXPECT_EQ(config.beta_schedule, BetaSchedule::kLinear);
    EXPECT_EQ(config.steps_offset, 0);
    EXPECT_EQ(config.prediction_type, PredictionType::kEpsilon);
    EXPECT_TRUE(config.set_alpha_to_one);
    EXPECT_FALSE(config.rescale_betas_zero_snr);
  }
}

TEST(SamplerConfigTest, ClassThatIsNotOfferedLeavesItsScheduleToDdim) {
  const auto config = Read({{"_class_name", "PNDMScheduler"},
                            {"beta_schedule", "scaled_linear"},
                            {"skip_prk_steps", true}});

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sampler, "ddim");
  EXPECT_EQ(config->beta_schedule, BetaSchedule::kScaledLinear);
}

TEST(SamplerConfigTest, EveryChoiceIsRead) {
  for (const auto& [name, spacing] :
       std::vector<std::pair<std::string, TimestepSpacing>>{
           {"leading", TimestepSpacing::kLeading},
           {"trailing", TimestepSpacing::kTrailing},
           {"linspace", TimestepSpacing::kLinspace}}) {
    const auto config = Read(With("timestep_spacing", name));
    ASSERT_THAT(config, IsOk());
    EXPECT_EQ(config->timestep_spacing, spacing);
  }
  for (const auto& [name, schedule] :
       std::vector<std::pair<std::string, BetaSchedule>>{
           {"linear", BetaSchedule::kLinear},
           {"scaled_linear", BetaSchedule::kScaledLinear},
           {"squaredcos_cap_v2", BetaSchedule::kSquaredCosine}}) {
    const auto config = Read(With("beta_schedule", name));
    ASSERT_THAT(config, IsOk());
    EXPECT_EQ(config->beta_schedule, schedule);
  }
}

struct Refused {
  std::string field;
  json value;
  std::string expected;
};

class SamplerConfigRefusalTest : public ::testing::TestWithParam<Refused> {};

TEST_P(SamplerConfigRefusalTest, ErrorNamesFileFieldAndValue) {
  const Refused& refused = GetParam();

  EXPECT_THAT(Read(With(refused.field, refused.value)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(StartsWith("scheduler.json: " + refused.field),
                             HasSubstr(refused.expected),
                             HasSubstr(refused.value.dump()))));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, SamplerConfigRefusalTest,
    ::testing::Values(
        // Settings of diffusers that no sampler here follows.
        Refused{"prediction_type", "sample", "epsilon or v_prediction"},
        Refused{"prediction_type", "flow_prediction", "epsilon"},
        Refused{"beta_schedule", "sigmoid", "linear, scaled_linear"},
        Refused{"timestep_spacing", "karras", "leading, trailing"},
        Refused{"clip_sample", true, "false"},
        Refused{"thresholding", true, "false"},
        Refused{"use_karras_sigmas", true, "false"},
        Refused{"use_exponential_sigmas", true, "false"},
        Refused{"use_beta_sigmas", true, "false"},
        Refused{"interpolation_type", "log_linear", "linear"},
        Refused{"timestep_type", "continuous", "discrete"},
        Refused{"final_sigmas_type", "sigma_min", "zero"},
        Refused{"trained_betas", {0.1, 0.2}, "null"},
        // A perfect prediction of the noise cannot leave pure noise.
        Refused{"rescale_betas_zero_snr", true, "epsilon"},
        // Values outside their ranges and of other types.
        Refused{"num_train_timesteps", 1, "from 2"},
        Refused{"num_train_timesteps", 100001, "100000"},
        Refused{"num_train_timesteps", "1000", "integer"},
        Refused{"num_train_timesteps", 1000.5, "integer"},
        Refused{"steps_offset", -1, "from 0"},
        Refused{"steps_offset", 1001, "1000"},
        Refused{"beta_start", 0, "between 0 and 1"},
        Refused{"beta_start", 1.5, "between 0 and 1"},
        Refused{"beta_start", "0.1", "number"},
        Refused{"beta_end", 0.00001, "beta_start"}, Refused{"beta_end", 1, "1"},
        Refused{"set_alpha_to_one", "true", "true or false"},
        Refused{"set_alpha_to_one", 1, "true or false"},
        Refused{"timestep_spacing", 3, "string"}),
    [](const auto& info) {
      return info.param.field + "_" + std::to_string(info.index);
    });

TEST(SamplerConfigTest, ClippingThatDiffusersWouldDoIsNotGuessedAway) {
  EXPECT_THAT(Read({{"_class_name", "DDIMScheduler"}}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("scheduler.json: clip_sample")));
}

}  // namespace
}  // namespace tessera::model

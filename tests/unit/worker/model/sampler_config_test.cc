#include "worker/model/sampler_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/model/config_cases.h"

namespace tessera::model {
namespace {

using nlohmann::json;
using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Returns the demo model's config, which diffusers wrote.
json Demo() { return DemoConfig("scheduler/scheduler_config.json"); }

// Returns scheduler_config.json of Stable Diffusion 1.5 as it was published.
json StableDiffusion1() {
  return json::parse(R"({
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0",
    "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "num_train_timesteps": 1000,
    "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
    "trained_betas": null, "clip_sample": false})");
}

// Returns that of Stable Diffusion XL.
json StableDiffusionXl() {
  return json::parse(R"({
    "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0",
    "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": false,
    "interpolation_type": "linear", "num_train_timesteps": 1000,
    "prediction_type": "epsilon", "sample_max_value": 1.0,
    "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
    "timestep_spacing": "leading", "trained_betas": null,
    "use_karras_sigmas": false})");
}

TEST(SamplerConfigTest, ReadsTheDemoModel) {
  const auto config = ReadJson(ReadSamplerConfig, Demo());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sampler, "ddim");
  EXPECT_EQ(config->num_train_timesteps, 1000);
  EXPECT_EQ(config->beta_start, 0.00085);
  EXPECT_EQ(config->beta_end, 0.012);
  EXPECT_EQ(config->beta_schedule, BetaSchedule::kScaledLinear);
  EXPECT_EQ(config->timestep_spacing, TimestepSpacing::kLeading);
  EXPECT_EQ(config->steps_offset, 1);
  EXPECT_EQ(config->prediction_type, PredictionType::kEpsilon);
  EXPECT_FALSE(config->set_alpha_to_one);
  EXPECT_FALSE(config->rescale_betas_zero_snr);
}

TEST(SamplerConfigTest, ClassThatIsMissingHereRunsAsDdim) {
  const auto config = ReadJson(ReadSamplerConfig, StableDiffusion1());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sampler, "ddim");
  EXPECT_EQ(config->beta_schedule, BetaSchedule::kScaledLinear);
  EXPECT_EQ(config->timestep_spacing, TimestepSpacing::kLeading);
  EXPECT_EQ(config->steps_offset, 1);
  EXPECT_FALSE(config->set_alpha_to_one);
}

TEST(SamplerConfigTest, ReadsStableDiffusion2) {
  const auto config =
      ReadJson(ReadSamplerConfig,
               With(StableDiffusion1(), {{"_class_name", "DDIMScheduler"},
                                         {"prediction_type", "v_prediction"}}));

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sampler, "ddim");
  EXPECT_EQ(config->prediction_type, PredictionType::kVPrediction);
}

TEST(SamplerConfigTest, ReadsStableDiffusionXl) {
  const auto config = ReadJson(ReadSamplerConfig, StableDiffusionXl());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sampler, "euler");
  EXPECT_EQ(config->timestep_spacing, TimestepSpacing::kLeading);
  EXPECT_EQ(config->prediction_type, PredictionType::kEpsilon);
}

TEST(SamplerConfigTest, AbsentFieldsTakeTheDefaultsOfTheClass) {
  const auto ddim = ReadJson(ReadSamplerConfig, {{"clip_sample", false}});
  const auto euler =
      ReadJson(ReadSamplerConfig, {{"_class_name", "EulerDiscreteScheduler"}});

  ASSERT_THAT(ddim, IsOk());
  EXPECT_EQ(ddim->sampler, "ddim");
  EXPECT_EQ(ddim->num_train_timesteps, 1000);
  EXPECT_EQ(ddim->beta_start, 0.0001);
  EXPECT_EQ(ddim->beta_end, 0.02);
  EXPECT_EQ(ddim->beta_schedule, BetaSchedule::kLinear);
  EXPECT_EQ(ddim->timestep_spacing, TimestepSpacing::kLeading);
  EXPECT_EQ(ddim->steps_offset, 0);
  EXPECT_EQ(ddim->prediction_type, PredictionType::kEpsilon);
  EXPECT_TRUE(ddim->set_alpha_to_one);
  EXPECT_FALSE(ddim->rescale_betas_zero_snr);
  ASSERT_THAT(euler, IsOk());
  EXPECT_EQ(euler->sampler, "euler");
  EXPECT_EQ(euler->timestep_spacing, TimestepSpacing::kLinspace);
}

TEST(SamplerConfigTest, DdimMustSayThatItDoesNotClip) {
  for (const char* class_name : {"DDIMScheduler", ""}) {
    json config = Demo();
    config.erase("clip_sample");
    // Is DDIM, too, where no class is named.
    if (*class_name == '\0') config.erase("_class_name");
    EXPECT_THAT(
        ReadJson(ReadSamplerConfig, config),
        StatusIs(kInvalid,
                 "model/config.json: clip_sample: expected false (diffusers "
                 "takes true where it is absent), got null"));
  }
  ExpectRefused(ReadSamplerConfig, Demo(),
                {{"clip_sample", {true, 0, "false"}, "false"},
                 {"clip_sample",
                  {nullptr},
                  "false (diffusers takes true where it is absent)"}});
}

TEST(SamplerConfigTest, OtherClassesDoNotClipWhereTheyDoNotSay) {
  for (const char* name : {"PNDMScheduler", "EulerDiscreteScheduler"}) {
    json config = With(Demo(), {{"_class_name", name}});
    config.erase("clip_sample");

    EXPECT_THAT(ReadJson(ReadSamplerConfig, config), IsOk()) << name;
    EXPECT_THAT(
        ReadJson(ReadSamplerConfig, With(config, {{"clip_sample", true}})),
        StatusIs(kInvalid))
        << name;
  }
}

TEST(SamplerConfigTest, ReadsEveryChoice) {
  const auto read = [](const char* field, const char* value) {
    const auto config =
        ReadJson(ReadSamplerConfig, With(Demo(), {{field, value}}));
    EXPECT_THAT(config, IsOk()) << value;
    return config.value_or(SamplerConfig{});
  };

  EXPECT_EQ(read("timestep_spacing", "leading").timestep_spacing,
            TimestepSpacing::kLeading);
  EXPECT_EQ(read("timestep_spacing", "trailing").timestep_spacing,
            TimestepSpacing::kTrailing);
  EXPECT_EQ(read("timestep_spacing", "linspace").timestep_spacing,
            TimestepSpacing::kLinspace);
  EXPECT_EQ(read("beta_schedule", "linear").beta_schedule,
            BetaSchedule::kLinear);
  EXPECT_EQ(read("beta_schedule", "scaled_linear").beta_schedule,
            BetaSchedule::kScaledLinear);
  EXPECT_EQ(read("beta_schedule", "squaredcos_cap_v2").beta_schedule,
            BetaSchedule::kSquaredCosine);
  EXPECT_EQ(read("prediction_type", "epsilon").prediction_type,
            PredictionType::kEpsilon);
  EXPECT_EQ(read("prediction_type", "v_prediction").prediction_type,
            PredictionType::kVPrediction);
}

TEST(SamplerConfigTest, OtherChoicesAreRefused) {
  ExpectRefused(ReadSamplerConfig, Demo(),
                {{"timestep_spacing",
                  {"log", "Leading", ""},
                  "leading, trailing or linspace"},
                 {"timestep_spacing", {1, {"leading"}}, "a string"},
                 {"beta_schedule",
                  {"sigmoid", "exp", "laplace"},
                  "linear, scaled_linear or squaredcos_cap_v2"},
                 {"beta_schedule", {true}, "a string"},
                 {"prediction_type",
                  {"sample", "flow_prediction", "v"},
                  "epsilon or v_prediction"},
                 {"prediction_type", {0}, "a string"},
                 {"_class_name", {1, {"DDIMScheduler"}}, "a string"}});
}

TEST(SamplerConfigTest, OptionsThatChangePicturesAreRefused) {
  ExpectRefused(ReadSamplerConfig, Demo(),
                {{"thresholding", {true, 0}, "false"},
                 {"use_karras_sigmas", {true, "false"}, "false"},
                 {"use_exponential_sigmas", {true}, "false"},
                 {"use_beta_sigmas", {true}, "false"},
                 {"trained_betas", {{0.1, 0.2}, false}, "null"},
                 {"interpolation_type", {"log_linear"}, "\"linear\""},
                 {"timestep_type", {"continuous"}, "\"discrete\""},
                 {"final_sigmas_type", {"sigma_min"}, "\"zero\""}});
}

TEST(SamplerConfigTest, NumbersOutOfRangeAreRefused) {
  ExpectRefused(
      ReadSamplerConfig, Demo(),
      {{"num_train_timesteps",
        {0, 1, -1000, 100'001, 1000.0, "1000"},
        "an integer from 2 to 100000"},
       {"steps_offset", {-1, 1001, 0.5}, "an integer from 0 to 1000"},
       {"beta_start", {0, -0.1, 1, 1.5}, "a number between 0 and 1"},
       {"beta_start", {"0.1", true}, "a finite number"},
       {"beta_end", {0.0008, 0, -1, 1, 2}, "a number from beta_start to 1"},
       {"beta_end", {{0.1}}, "a finite number"},
       {"set_alpha_to_one", {0, "false"}, "true or false"},
       {"rescale_betas_zero_snr", {1, "false"}, "true or false"}});
  EXPECT_THAT(
      ReadJson(ReadSamplerConfig, With(Demo(), {{"beta_end", 0.00085}})),
      IsOk());
}

// In single precision such schedules start without noise or end without
// signal, and a step divides by both.
TEST(SamplerConfigTest, SchedulesThatVanishAreRefused) {
  ExpectRefused(
      ReadSamplerConfig, Demo(),
      {{"beta_start", {1e-9, 1e-300}, "a schedule that starts with some noise"},
       {"beta_end",
        {0.9, 0.9999999999},
        "a schedule that ends with some signal"}});
  EXPECT_THAT(ReadJson(ReadSamplerConfig, With(Demo(), {{"beta_start", 1e-6}})),
              IsOk());
}

// At zero signal the predicted noise says nothing of the picture.
TEST(SamplerConfigTest, ZeroSignalNeedsVPrediction) {
  ExpectRefused(ReadSamplerConfig, Demo(),
                {{"rescale_betas_zero_snr",
                  {true},
                  "false for a model that predicts epsilon"}});

  const auto config = ReadJson(
      ReadSamplerConfig, With(Demo(), {{"rescale_betas_zero_snr", true},
                                       {"timestep_spacing", "trailing"},
                                       {"prediction_type", "v_prediction"}}));

  ASSERT_THAT(config, IsOk());
  EXPECT_TRUE(config->rescale_betas_zero_snr);
}

}  // namespace
}  // namespace tessera::model

#include "tests/unit/worker/denoising/sampler_values.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"

namespace tessera::model {

nlohmann::json SamplerValues(const std::string& list) {
  // Reads the file once for all tests; never dies.
  static const nlohmann::json* const table =
      new nlohmann::json(nlohmann::json::parse(
          testing::ReadText(TESSERA_SOURCE_DIR
                            "/tests/golden/sampler_values.json"),
          nullptr, false));
  if (table->is_object() && table->contains(list) && !(*table)[list].empty()) {
    return (*table)[list];
  }
  ADD_FAILURE() << "sampler_values.json: no list " << list;
  return nlohmann::json::array();
}

SamplerConfig ConfigOf(const nlohmann::json& table_case) {
  SamplerConfig config = StableDiffusionConfig();
  const std::string spacing = table_case.value("spacing", "leading");
  if (spacing == "trailing") {
    config.timestep_spacing = TimestepSpacing::kTrailing;
  } else if (spacing == "linspace") {
    config.timestep_spacing = TimestepSpacing::kLinspace;
  }
  const std::string betas = table_case.value("betas", "scaled_linear");
  if (betas == "linear") {
    config.beta_schedule = BetaSchedule::kLinear;
    config.beta_start = 0.0001;
    config.beta_end = 0.02;
  } else if (betas == "squaredcos_cap_v2") {
    config.beta_schedule = BetaSchedule::kSquaredCosine;
  }
  if (table_case.value("prediction", "epsilon") == "v_prediction") {
    config.prediction_type = PredictionType::kVPrediction;
  }
  config.steps_offset = table_case.value("offset", 0);
  config.set_alpha_to_one = table_case.value("to_one", true);
  config.rescale_betas_zero_snr = table_case.value("rescale", false);
  config.num_train_timesteps = table_case.value("train", 1000);
  return config;
}

SamplerConfig StableDiffusionConfig() {
  return {.sampler = "ddim",
          .num_train_timesteps = 1000,
          .beta_start = 0.00085,
          .beta_end = 0.012,
          .beta_schedule = BetaSchedule::kScaledLinear,
          .timestep_spacing = TimestepSpacing::kLeading};
}

std::vector<float> FloatsOf(const nlohmann::json& values) {
  return values.get<std::vector<float>>();
}

void ExpectNear(const std::vector<float>& got, const std::vector<float>& want,
                double tolerance, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double scale = 0;
  for (const float value : want) {
    scale = std::max(scale, std::fabs(static_cast<double>(value)));
  }
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], tolerance * scale) << what << ", value " << i;
  }
}

}  // namespace tessera::model

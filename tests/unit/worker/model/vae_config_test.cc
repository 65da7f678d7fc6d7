#include "worker/model/vae_config.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/model/config_cases.h"

namespace tessera::model {
namespace {

using nlohmann::json;
using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Returns the demo model's config, which diffusers wrote.
json Demo() { return DemoConfig("vae/config.json"); }

// Returns vae/config.json of Stable Diffusion 1.5 as it was published, before
// the scaling factor was written down.
json StableDiffusion1() {
  return json::parse(R"({
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.6.0",
    "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D",
                         "DownEncoderBlock2D", "DownEncoderBlock2D"],
    "in_channels": 3, "latent_channels": 4, "layers_per_block": 2,
    "norm_num_groups": 32, "out_channels": 3, "sample_size": 512,
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D",
                       "UpDecoderBlock2D", "UpDecoderBlock2D"]})");
}

TEST(VaeConfigTest, ReadsTheDemoModel) {
  const auto config = ReadJson(ReadVaeConfig, Demo());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->latent_channels, 4);
  EXPECT_EQ(config->out_channels, 3);
  EXPECT_THAT(config->block_out_channels, ElementsAre(32, 64, 96, 128));
  EXPECT_EQ(config->layers_per_block, 1);
  EXPECT_EQ(config->norm_num_groups, 16);
  EXPECT_TRUE(config->mid_block_add_attention);
  EXPECT_TRUE(config->use_post_quant_conv);
  EXPECT_EQ(config->scaling_factor, 0.43342f);
  EXPECT_EQ(config->shift_factor, 0);
  EXPECT_EQ(config->scale(), 8);
}

TEST(VaeConfigTest, ReadsStableDiffusion1) {
  const auto config = ReadJson(ReadVaeConfig, StableDiffusion1());

  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->block_out_channels, ElementsAre(128, 256, 512, 512));
  EXPECT_EQ(config->layers_per_block, 2);
  EXPECT_EQ(config->scaling_factor, 0.18215f);
  EXPECT_EQ(config->scale(), 8);
}

TEST(VaeConfigTest, ReadsStableDiffusionXl) {
  const auto config = ReadJson(
      ReadVaeConfig, With(StableDiffusion1(), {{"_name_or_path", "sdxl-vae"},
                                               {"force_upcast", true},
                                               {"sample_size", 1024},
                                               {"scaling_factor", 0.13025}}));

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->scaling_factor, 0.13025f);
}

// As of Stable Diffusion 3.
TEST(VaeConfigTest, ReadsAutoencodersWithoutQuantConvolutions) {
  const auto config =
      ReadJson(ReadVaeConfig,
               With(StableDiffusion1(), {{"latent_channels", 16},
                                         {"latents_mean", nullptr},
                                         {"scaling_factor", 1.5305},
                                         {"shift_factor", 0.0609},
                                         {"use_post_quant_conv", false},
                                         {"use_quant_conv", false},
                                         {"mid_block_add_attention", false}}));

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->latent_channels, 16);
  EXPECT_EQ(config->scaling_factor, 1.5305f);
  EXPECT_EQ(config->shift_factor, 0.0609f);
  EXPECT_FALSE(config->use_post_quant_conv);
  EXPECT_FALSE(config->mid_block_add_attention);
}

TEST(VaeConfigTest, AbsentFieldsTakeTheDefaultsOfTheClass) {
  const auto config =
      ReadJson(ReadVaeConfig, json{{"block_out_channels", {64}},
                                   {"up_block_types", {"UpDecoderBlock2D"}}});

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->latent_channels, 4);
  EXPECT_EQ(config->out_channels, 3);
  EXPECT_EQ(config->layers_per_block, 1);
  EXPECT_EQ(config->norm_num_groups, 32);
  EXPECT_TRUE(config->mid_block_add_attention);
  EXPECT_TRUE(config->use_post_quant_conv);
  EXPECT_EQ(config->scaling_factor, 0.18215f);
  EXPECT_EQ(config->shift_factor, 0);
  EXPECT_EQ(config->scale(), 1);
}

TEST(VaeConfigTest, EveryBlockButTheLastDoubles) {
  std::vector<std::string> types;
  std::vector<int> widths;
  for (int blocks = 1; blocks <= 6; ++blocks) {
    types.push_back("UpDecoderBlock2D");
    widths.push_back(32);

    const auto config =
        ReadJson(ReadVaeConfig, With(Demo(), {{"block_out_channels", widths},
                                              {"up_block_types", types}}));

    ASSERT_THAT(config, IsOk()) << blocks;
    EXPECT_EQ(config->scale(), 1 << (blocks - 1));
  }
}

TEST(VaeConfigTest, RequiredFieldsAreMissed) {
  for (const auto& [field, expected] :
       std::vector<std::pair<std::string, std::string>>{
           {"block_out_channels", "a list of 1 to 16 integers"},
           {"up_block_types", "a list of 1 to 16 strings"}}) {
    json config = Demo();
    config.erase(field);
    EXPECT_THAT(
        ReadJson(ReadVaeConfig, config),
        StatusIs(kInvalid, "model/config.json: " + field + ": expected " +
                               expected + ", got null"));
  }
}

TEST(VaeConfigTest, NumbersOutOfRangeAreRefused) {
  ExpectRefused(
      ReadVaeConfig, Demo(),
      {{"latent_channels", {0, 65, "4", 4.0}, "an integer from 1 to 64"},
       {"out_channels", {1, 4, 0}, "an integer from 3 to 3"},
       {"layers_per_block", {0, 17, {1, 1}}, "an integer from 1 to 16"},
       {"norm_num_groups", {0, 1025, false}, "an integer from 1 to 1024"},
       {"block_out_channels",
        {{32, 64, 96, 0}, {32, 64, 96, 16400}},
        "a list of an integer from 1 to 16384"},
       {"block_out_channels",
        {json::array(), 32},
        "a list of 1 to 16 integers"},
       {"block_out_channels",
        {{32, 64, 96, 120}, {8, 64, 96, 128}},
        "multiples of norm_num_groups"}});
}

TEST(VaeConfigTest, FactorsMustBeUsable) {
  ExpectRefused(
      ReadVaeConfig, Demo(),
      {{"scaling_factor", {0, -0.18215, 1e-50}, "a positive number"},
       {"scaling_factor", {1e39}, "a number that fits f32"},
       {"scaling_factor", {"0.18215", true, {0.18215}}, "a finite number"},
       {"shift_factor", {1e39, -1e39}, "a number that fits f32"},
       {"shift_factor", {"0"}, "a finite number"}});
}

TEST(VaeConfigTest, OneDecoderBlockALevel) {
  const std::string type = "UpDecoderBlock2D";
  for (const json& types :
       {json{type, type, type}, json{type, type, type, type, type}}) {
    EXPECT_THAT(
        ReadJson(ReadVaeConfig, With(Demo(), {{"up_block_types", types}})),
        StatusIs(kInvalid, HasSubstr("model/config.json: up_block_types: "
                                     "expected one type a block_out_channels, "
                                     "got [\"UpDecoderBlock2D\"")));
  }
  ExpectRefused(
      ReadVaeConfig, Demo(),
      {{"up_block_types",
        {{"UpDecoderBlock2D", "AttnUpDecoderBlock2D"}, {"UpBlock2D"}, {""}},
        "UpDecoderBlock2D only"},
       {"up_block_types", {{"UpDecoderBlock2D", 1}}, "a list of strings"},
       {"up_block_types",
        {"UpDecoderBlock2D", json::array()},
        "a list of 1 to 16 strings"}});
}

TEST(VaeConfigTest, OtherModelsAreRefused) {
  ExpectRefused(ReadVaeConfig, Demo(),
                {{"_class_name",
                  {"AutoencoderTiny", "AsymmetricAutoencoderKL", "VQModel", 7},
                  "\"AutoencoderKL\""},
                 {"act_fn", {"gelu", "swish"}, "\"silu\""},
                 {"latents_mean", {{0.5, 0.5}, 0}, "null"},
                 {"latents_std", {{1, 1}, false}, "null"},
                 {"mid_block_add_attention", {0, "true"}, "true or false"},
                 {"use_post_quant_conv", {1, "false"}, "true or false"}});
}

}  // namespace
}  // namespace tessera::model

#include "worker/model/unet_config.h"

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
json Demo() { return DemoConfig("unet/config.json"); }

// Returns unet/config.json of Stable Diffusion 1.5 as it was published.
json StableDiffusion1() {
  return json::parse(R"({
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0",
    "act_fn": "silu", "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280],
    "center_input_sample": false, "cross_attention_dim": 768,
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                         "CrossAttnDownBlock2D", "DownBlock2D"],
    "downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0,
    "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1,
    "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4,
    "sample_size": 64,
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D",
                       "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})");
}

// Returns what Stable Diffusion 2.1 has instead.
json StableDiffusion2() {
  return With(StableDiffusion1(), {{"attention_head_dim", {5, 10, 20, 20}},
                                   {"cross_attention_dim", 1024},
                                   {"dual_cross_attention", false},
                                   {"only_cross_attention", false},
                                   {"sample_size", 96},
                                   {"upcast_attention", true},
                                   {"use_linear_projection", true}});
}

TEST(UNetConfigTest, ReadsTheDemoModel) {
  const auto config = ReadJson(ReadUNetConfig, Demo());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sample_size, 16);
  EXPECT_EQ(config->in_channels, 4);
  EXPECT_EQ(config->out_channels, 4);
  EXPECT_THAT(config->block_out_channels, ElementsAre(64, 96, 160));
  EXPECT_EQ(config->layers_per_block, 2);
  EXPECT_THAT(config->down_cross_attention, ElementsAre(true, true, false));
  EXPECT_THAT(config->up_cross_attention, ElementsAre(false, true, true));
  EXPECT_THAT(config->attention_heads, ElementsAre(4, 4, 4));
  EXPECT_THAT(config->transformer_layers, ElementsAre(1, 1, 1));
  EXPECT_EQ(config->cross_attention_dim, 128);
  EXPECT_EQ(config->norm_num_groups, 32);
  EXPECT_EQ(config->norm_eps, 1e-5f);
  EXPECT_FALSE(config->use_linear_projection);
  EXPECT_TRUE(config->flip_sin_to_cos);
  EXPECT_EQ(config->freq_shift, 0);
}

TEST(UNetConfigTest, ReadsStableDiffusion1) {
  const auto config = ReadJson(ReadUNetConfig, StableDiffusion1());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sample_size, 64);
  EXPECT_THAT(config->block_out_channels, ElementsAre(320, 640, 1280, 1280));
  EXPECT_THAT(config->down_cross_attention,
              ElementsAre(true, true, true, false));
  EXPECT_THAT(config->up_cross_attention, ElementsAre(false, true, true, true));
  // Is the number of heads, whatever the name says.
  EXPECT_THAT(config->attention_heads, ElementsAre(8, 8, 8, 8));
  EXPECT_EQ(config->cross_attention_dim, 768);
  EXPECT_FALSE(config->use_linear_projection);
}

TEST(UNetConfigTest, ReadsStableDiffusion2) {
  const auto config = ReadJson(ReadUNetConfig, StableDiffusion2());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sample_size, 96);
  EXPECT_THAT(config->attention_heads, ElementsAre(5, 10, 20, 20));
  EXPECT_EQ(config->cross_attention_dim, 1024);
  EXPECT_TRUE(config->use_linear_projection);
}

// Returns unet/config.json of Stable Diffusion XL 1.0 as it was published.
json StableDiffusionXl() {
  return json::parse(R"({
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.19.0.dev0",
    "act_fn": "silu", "addition_embed_type": "text_time",
    "addition_embed_type_num_heads": 64, "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20], "block_out_channels": [320, 640, 1280],
    "center_input_sample": false, "class_embed_type": null,
    "class_embeddings_concat": false, "conv_in_kernel": 3,
    "conv_out_kernel": 3, "cross_attention_dim": 2048,
    "cross_attention_norm": null,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D",
                         "CrossAttnDownBlock2D"],
    "downsample_padding": 1, "dual_cross_attention": false,
    "encoder_hid_dim": null, "encoder_hid_dim_type": null,
    "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4,
    "layers_per_block": 2, "mid_block_only_cross_attention": null,
    "mid_block_scale_factor": 1, "mid_block_type": "UNetMidBlock2DCrossAttn",
    "norm_eps": 1e-05, "norm_num_groups": 32, "num_attention_heads": null,
    "num_class_embeds": null, "only_cross_attention": false, "out_channels": 4,
    "projection_class_embeddings_input_dim": 2816,
    "resnet_out_scale_factor": 1.0, "resnet_skip_time_act": false,
    "resnet_time_scale_shift": "default", "sample_size": 128,
    "time_cond_proj_dim": null, "time_embedding_act_fn": null,
    "time_embedding_dim": null, "time_embedding_type": "positional",
    "timestep_post_act": null, "transformer_layers_per_block": [1, 2, 10],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                       "UpBlock2D"],
    "upcast_attention": null, "use_linear_projection": true})");
}

TEST(UNetConfigTest, ReadsStableDiffusionXl) {
  const auto config = ReadJson(ReadUNetConfig, StableDiffusionXl());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->sample_size, 128);
  EXPECT_THAT(config->down_cross_attention, ElementsAre(false, true, true));
  EXPECT_THAT(config->up_cross_attention, ElementsAre(true, true, false));
  EXPECT_THAT(config->transformer_layers, ElementsAre(1, 2, 10));
  EXPECT_THAT(config->attention_heads, ElementsAre(5, 10, 20));
  EXPECT_TRUE(config->use_linear_projection);
  EXPECT_TRUE(config->has_added_embedding());
  EXPECT_EQ(config->added_sinusoids, 256);
  EXPECT_EQ(config->added_inputs, 2816);
  EXPECT_EQ(config->pooled_width(), 1280);
}

TEST(UNetConfigTest, OtherModelsAddNothingToTheTime) {
  const auto config = ReadJson(ReadUNetConfig, StableDiffusion1());

  ASSERT_THAT(config, IsOk());
  EXPECT_FALSE(config->has_added_embedding());
  EXPECT_EQ(config->pooled_width(), 0);
}

TEST(UNetConfigTest, AddedEmbeddingsThatDoNotFitAreRefused) {
  ExpectRefused(
      ReadUNetConfig, StableDiffusionXl(),
      {{"addition_embed_type", {"text", "image"}, "null or text_time"},
       {"addition_time_embed_dim",
        {255, 1},
        "an even number, more than twice freq_shift"},
       {"addition_time_embed_dim", {0, nullptr}, "an integer from 1 to 65536"},
       {"projection_class_embeddings_input_dim",
        {1536, 1},
        "more than six times addition_time_embed_dim"},
       {"projection_class_embeddings_input_dim",
        {0, nullptr},
        "an integer from 1 to 1000000"}});
}

// Inpainting has 9 channels in, instruct-pix2pix 8; both 4 out.
TEST(UNetConfigTest, ModelsThatTakePicturesAreRefused) {
  ExpectRefused(ReadUNetConfig, StableDiffusion1(),
                {{"in_channels", {8, 9}, "the same as out_channels"}});
}

TEST(UNetConfigTest, AbsentFieldsTakeTheDefaultsOfTheClass) {
  const auto config = ReadJson(
      ReadUNetConfig, json{{"sample_size", 32},
                           {"block_out_channels", {32, 64}},
                           {"down_block_types", {"DownBlock2D", "DownBlock2D"}},
                           {"up_block_types", {"UpBlock2D", "UpBlock2D"}}});

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->in_channels, 4);
  EXPECT_EQ(config->out_channels, 4);
  EXPECT_EQ(config->layers_per_block, 2);
  EXPECT_THAT(config->attention_heads, ElementsAre(8, 8));
  EXPECT_THAT(config->transformer_layers, ElementsAre(1, 1));
  EXPECT_EQ(config->cross_attention_dim, 1280);
  EXPECT_EQ(config->norm_num_groups, 32);
  EXPECT_EQ(config->norm_eps, 1e-5f);
  EXPECT_FALSE(config->use_linear_projection);
  EXPECT_TRUE(config->flip_sin_to_cos);
  EXPECT_EQ(config->freq_shift, 0);
}

TEST(UNetConfigTest, NumberOfHeadsGoesBeforeTheirSize) {
  const auto config =
      ReadJson(ReadUNetConfig, With(Demo(), {{"num_attention_heads", {2, 3, 5}},
                                             {"attention_head_dim", 8}}));

  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->attention_heads, ElementsAre(2, 3, 5));
  ExpectRefused(ReadUNetConfig, Demo(),
                {{"num_attention_heads", {7}, "divisors of block_out_channels"},
                 {"attention_head_dim",
                  {7, {4, 4, 7}},
                  "divisors of block_out_channels"}});
}

TEST(UNetConfigTest, RequiredFieldsAreMissed) {
  const std::vector<BadField> required = {
      {"sample_size", {nullptr}, "an integer from 1 to 4096"},
      {"block_out_channels", {nullptr}, "a list of 1 to 16 integers"},
      {"down_block_types", {nullptr}, "a list of 1 to 16 strings"},
      {"up_block_types", {nullptr}, "a list of 1 to 16 strings"}};

  ExpectRefused(ReadUNetConfig, Demo(), required);
  for (const BadField& bad : required) {
    json config = Demo();
    config.erase(bad.field);
    EXPECT_THAT(
        ReadJson(ReadUNetConfig, config),
        StatusIs(kInvalid, "model/config.json: " + bad.field + ": expected " +
                               bad.expected + ", got null"));
  }
}

TEST(UNetConfigTest, NumbersOutOfRangeAreRefused) {
  ExpectRefused(
      ReadUNetConfig, Demo(),
      {{"sample_size",
        {0, -1, 4097, 16.5, "16", {16, 16}},
        "an integer from 1 to 4096"},
       {"in_channels", {0, 65, "4", 4.0}, "an integer from 1 to 64"},
       {"out_channels", {0, 65, true}, "an integer from 1 to 64"},
       {"layers_per_block", {0, 17, {2, 2, 2}}, "an integer from 1 to 16"},
       {"attention_head_dim", {0, 1025, "8"}, "an integer from 1 to 1024"},
       {"attention_head_dim",
        {{4, 4}, {4, 4, 4, 4}},
        "one integer, or one for each of 3 blocks"},
       {"num_attention_heads", {0, 1025}, "an integer from 1 to 1024"},
       {"transformer_layers_per_block", {0, 65}, "an integer from 1 to 64"},
       {"transformer_layers_per_block",
        {{1, 1, 0}},
        "a list of an integer from 1 to 64"},
       {"cross_attention_dim",
        {0, 65537, {128, 128, 128}},
        "an integer from 1 to 65536"},
       {"norm_num_groups", {0, 1025, "32"}, "an integer from 1 to 1024"},
       {"conv_in_kernel", {1, 5, {3, 3}}, "an integer from 3 to 3"},
       {"conv_out_kernel", {1, 5}, "an integer from 3 to 3"},
       {"downsample_padding", {0, 2}, "an integer from 1 to 1"}});
}

TEST(UNetConfigTest, WidthsMustFitGroupsAndHeads) {
  ExpectRefused(ReadUNetConfig, Demo(),
                {{"block_out_channels",
                  {{64, 96, 168}, {16, 96, 160}},
                  "multiples of norm_num_groups"},
                 {"block_out_channels",
                  {{0, 96, 160}, {64, -96, 160}, {64, 96, 32768}},
                  "a list of an integer from 1 to 16384"},
                 {"block_out_channels",
                  {json::array(), 64, "64"},
                  "a list of 1 to 16 integers"}});
  // Half of the first width are sines, half cosines.
  const json odd =
      With(Demo(), {{"norm_num_groups", 1}, {"attention_head_dim", 1}});
  ExpectRefused(
      ReadUNetConfig, odd,
      {{"block_out_channels", {{63, 96, 160}}, "a first one that is even"}});
}

TEST(UNetConfigTest, DivisorsMustNotVanish) {
  ExpectRefused(ReadUNetConfig, Demo(),
                {{"norm_eps", {0, -1e-5, 1e-50}, "a positive number"},
                 {"norm_eps", {1e39}, "a number that fits f32"},
                 {"norm_eps", {"1e-5", true}, "a finite number"},
                 // The frequencies are divided by 32 less the shift.
                 {"freq_shift",
                  {32, 33, 1e30},
                  "less than half of the first of block_out_channels"},
                 {"freq_shift", {1e39}, "a number that fits f32"},
                 {"freq_shift", {"0", false}, "a finite number"}});
  EXPECT_THAT(ReadJson(ReadUNetConfig, With(Demo(), {{"freq_shift", 1}})),
              IsOk());
}

TEST(UNetConfigTest, OneBlockTypeALevel) {
  ExpectRefused(
      ReadUNetConfig, Demo(),
      {{"down_block_types",
        {{"DownBlock2D", "DownBlock2D"},
         {"DownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"}},
        "one type for each of 3 blocks"},
       {"up_block_types", {{"UpBlock2D"}}, "one type for each of 3 blocks"},
       {"down_block_types", {"DownBlock2D"}, "a list of 1 to 16 strings"},
       {"up_block_types",
        {{"UpBlock2D", "UpBlock2D", 1}},
        "a list of strings"}});
}

TEST(UNetConfigTest, OtherBlocksAreNamed) {
  for (const char* type : {"AttnDownBlock2D", "SimpleCrossAttnDownBlock2D",
                           "UpBlock2D", "KDownBlock2D", ""}) {
    EXPECT_THAT(
        ReadJson(ReadUNetConfig,
                 With(Demo(), {{"down_block_types",
                                {"DownBlock2D", "DownBlock2D", type}}})),
        StatusIs(kInvalid,
                 HasSubstr("down_block_types: expected CrossAttnDownBlock2D "
                           "and DownBlock2D, got [\"DownBlock2D\"")));
  }
  EXPECT_THAT(
      ReadJson(ReadUNetConfig,
               With(Demo(), {{"up_block_types",
                              {"DownBlock2D", "UpBlock2D", "UpBlock2D"}}})),
      StatusIs(kInvalid,
               HasSubstr("up_block_types: expected CrossAttnUpBlock2D "
                         "and UpBlock2D, got [\"DownBlock2D\"")));
}

TEST(UNetConfigTest, OptionsThatChangeArithmeticAreRefused) {
  ExpectRefused(
      ReadUNetConfig, Demo(),
      {{"_class_name",
        {"UNet2DModel", "AutoencoderKL", 1},
        "\"UNet2DConditionModel\""},
       {"act_fn", {"gelu", "SiLU", "swish"}, "\"silu\""},
       {"time_embedding_type", {"fourier"}, "\"positional\""},
       {"resnet_time_scale_shift", {"scale_shift"}, "\"default\""},
       {"attention_type", {"gated"}, "\"default\""},
       {"mid_block_type",
        {"UNetMidBlock2D", "UNetMidBlock2DSimpleCrossAttn"},
        "\"UNetMidBlock2DCrossAttn\""},
       {"center_input_sample", {true, 0}, "false"},
       {"class_embeddings_concat", {true}, "false"},
       {"dual_cross_attention", {true}, "false"},
       {"only_cross_attention", {true, {true, false, false}}, "false"},
       {"resnet_skip_time_act", {true}, "false"},
       {"mid_block_scale_factor", {0.5, 1.4142}, "1"},
       {"resnet_out_scale_factor", {2}, "1"},
       {"resnet_out_scale_factor", {"1"}, "a finite number"}});
}

TEST(UNetConfigTest, OptionsThatAddLayersAreRefused) {
  ExpectRefused(
      ReadUNetConfig, Demo(),
      {{"addition_embed_type", {"text", "image"}, "null or text_time"},
       {"class_embed_type", {"timestep", "projection"}, "null"},
       {"cross_attention_norm", {"layer_norm"}, "null"},
       {"encoder_hid_dim", {4096}, "null"},
       {"encoder_hid_dim_type", {"text_proj"}, "null"},
       {"num_class_embeds", {1000}, "null"},
       {"time_cond_proj_dim", {256}, "null"},
       {"timestep_post_act", {"silu"}, "null"},
       {"time_embedding_act_fn", {"silu"}, "null"},
       {"time_embedding_dim", {512}, "null"},
       {"mid_block_only_cross_attention", {true}, "null"},
       {"reverse_transformer_layers_per_block", {{{1, 2}}}, "null"}});
}

TEST(UNetConfigTest, FlagsAreTrueOrFalse) {
  ExpectRefused(ReadUNetConfig, Demo(),
                {{"use_linear_projection", {1, "true"}, "true or false"},
                 {"flip_sin_to_cos", {0, "false"}, "true or false"}});
  const auto config =
      ReadJson(ReadUNetConfig, With(Demo(), {{"flip_sin_to_cos", false},
                                             {"use_linear_projection", true}}));
  ASSERT_THAT(config, IsOk());
  EXPECT_FALSE(config->flip_sin_to_cos);
  EXPECT_TRUE(config->use_linear_projection);
}

}  // namespace
}  // namespace tessera::model

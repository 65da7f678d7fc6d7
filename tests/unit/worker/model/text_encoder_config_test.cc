#include "worker/model/text_encoder_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/model/config_cases.h"

namespace tessera::model {
namespace {

using kernels::Activation;
using nlohmann::json;
using ::tessera::testing::IsOk;

// Returns the demo model's config, which transformers wrote.
json Demo() { return DemoConfig("text_encoder/config.json"); }

// Returns text_encoder/config.json of Stable Diffusion 1.5 as it was
// published, without the fields of training.
json StableDiffusion1() {
  return json::parse(R"({
    "_name_or_path": "openai/clip-vit-large-patch14",
    "architectures": ["CLIPTextModel"], "attention_dropout": 0.0,
    "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2,
    "hidden_act": "quick_gelu", "hidden_size": 768, "intermediate_size": 3072,
    "layer_norm_eps": 1e-05, "max_position_embeddings": 77,
    "model_type": "clip_text_model", "num_attention_heads": 12,
    "num_hidden_layers": 12, "pad_token_id": 1, "projection_dim": 768,
    "torch_dtype": "float32", "vocab_size": 49408})");
}

TEST(TextEncoderConfigTest, ReadsTheDemoModel) {
  const auto config = ReadJson(ReadTextEncoderConfig, Demo());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->vocab_size, 49408);
  EXPECT_EQ(config->hidden_size, 128);
  EXPECT_EQ(config->intermediate_size, 512);
  EXPECT_EQ(config->num_hidden_layers, 3);
  EXPECT_EQ(config->num_attention_heads, 4);
  EXPECT_EQ(config->max_position_embeddings, 77);
  EXPECT_EQ(config->layer_norm_eps, 1e-5f);
  EXPECT_EQ(config->hidden_act, Activation::kQuickGelu);
}

TEST(TextEncoderConfigTest, ReadsStableDiffusion1) {
  const auto config = ReadJson(ReadTextEncoderConfig, StableDiffusion1());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->hidden_size, 768);
  EXPECT_EQ(config->intermediate_size, 3072);
  EXPECT_EQ(config->num_hidden_layers, 12);
  EXPECT_EQ(config->num_attention_heads, 12);
  EXPECT_EQ(config->hidden_act, Activation::kQuickGelu);
}

// Has OpenCLIP's activation and one layer less, for its last is not used.
TEST(TextEncoderConfigTest, ReadsStableDiffusion2) {
  const auto config =
      ReadJson(ReadTextEncoderConfig,
               With(StableDiffusion1(), {{"hidden_act", "gelu"},
                                         {"hidden_size", 1024},
                                         {"intermediate_size", 4096},
                                         {"num_attention_heads", 16},
                                         {"num_hidden_layers", 23},
                                         {"projection_dim", 512}}));

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->hidden_size, 1024);
  EXPECT_EQ(config->num_hidden_layers, 23);
  EXPECT_EQ(config->num_attention_heads, 16);
  EXPECT_EQ(config->hidden_act, Activation::kGelu);
}

TEST(TextEncoderConfigTest, AbsentFieldsTakeTheDefaultsOfTheClass) {
  const auto config = ReadJson(ReadTextEncoderConfig, json::object());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->vocab_size, 49408);
  EXPECT_EQ(config->hidden_size, 512);
  EXPECT_EQ(config->intermediate_size, 2048);
  EXPECT_EQ(config->num_hidden_layers, 12);
  EXPECT_EQ(config->num_attention_heads, 8);
  EXPECT_EQ(config->max_position_embeddings, 77);
  EXPECT_EQ(config->layer_norm_eps, 1e-5f);
  EXPECT_EQ(config->hidden_act, Activation::kQuickGelu);
}

// Returns text_encoder_2/config.json of Stable Diffusion XL as it was
// published.
json SecondOfXl() {
  return json::parse(R"({
    "architectures": ["CLIPTextModelWithProjection"],
    "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0,
    "eos_token_id": 2, "hidden_act": "gelu", "hidden_size": 1280,
    "initializer_factor": 1.0, "initializer_range": 0.02,
    "intermediate_size": 5120, "layer_norm_eps": 1e-05,
    "max_position_embeddings": 77, "model_type": "clip_text_model",
    "num_attention_heads": 20, "num_hidden_layers": 32, "pad_token_id": 1,
    "projection_dim": 1280, "torch_dtype": "float16",
    "transformers_version": "4.32.0.dev0", "vocab_size": 49408})");
}

TEST(TextEncoderConfigTest, ReadsTheSecondEncoderOfStableDiffusionXl) {
  const auto config = ReadJson(ReadProjectingTextEncoderConfig, SecondOfXl());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->hidden_size, 1280);
  EXPECT_EQ(config->num_hidden_layers, 32);
  EXPECT_EQ(config->num_attention_heads, 20);
  EXPECT_EQ(config->hidden_act, Activation::kGelu);
  EXPECT_EQ(config->projection_dim, 1280);
  EXPECT_EQ(config->eos_token_id, TextEncoderConfig::kLargestId);
}

// As transformers' CLIPTextConfig has them today.
TEST(TextEncoderConfigTest, ProjectionTakesTheDefaultsOfTheClass) {
  const auto config = ReadJson(ReadProjectingTextEncoderConfig, json::object());

  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->projection_dim, 512);
  EXPECT_EQ(config->eos_token_id, 49407);
}

TEST(TextEncoderConfigTest, ProjectionIsReadOfItsOwnClassAlone) {
  const auto plain = ReadJson(ReadTextEncoderConfig, StableDiffusion1());
  ASSERT_THAT(plain, IsOk());
  EXPECT_EQ(plain->projection_dim, 0);

  ExpectRefused(ReadProjectingTextEncoderConfig, SecondOfXl(),
                {{"architectures",
                  {{"CLIPTextModel"}, {"CLIPModel"}},
                  "CLIPTextModelWithProjection"},
                 {"projection_dim", {0, 65537}, "an integer from 1 to 65536"},
                 {"eos_token_id", {-1}, "an integer from 0 to 1000000"}});
}

// The second encoder of SDXL is of the first of these.
TEST(TextEncoderConfigTest, OtherModelsAreRefused) {
  ExpectRefused(ReadTextEncoderConfig, Demo(),
                {{"architectures",
                  {{"CLIPTextModelWithProjection"},
                   {"CLIPModel"},
                   {"T5EncoderModel"},
                   {"BertModel", "CLIPTextModel"},
                   {""}},
                  "CLIPTextModel"},
                 {"architectures",
                  {json::array(), "CLIPTextModel"},
                  "a list of 1 to 16 strings"},
                 {"architectures", {{1}}, "a list of strings"}});
}

TEST(TextEncoderConfigTest, NumbersOutOfRangeAreRefused) {
  ExpectRefused(
      ReadTextEncoderConfig, Demo(),
      {{"vocab_size",
        {0, -1, 1'000'001, 49408.0, "49408"},
        "an integer from 1 to 1000000"},
       {"hidden_size", {0, 16385, {128}}, "an integer from 1 to 16384"},
       {"intermediate_size", {0, 65537, true}, "an integer from 1 to 65536"},
       {"num_hidden_layers", {0, 129, "3"}, "an integer from 1 to 128"},
       {"num_attention_heads", {0, 1025, 4.5}, "an integer from 1 to 1024"},
       {"max_position_embeddings", {2, 0, 4097}, "an integer from 3 to 4096"}});
}

TEST(TextEncoderConfigTest, HeadsDivideTheWidth) {
  ExpectRefused(
      ReadTextEncoderConfig, Demo(),
      {{"num_attention_heads", {3, 256}, "a divisor of hidden_size"}});
  EXPECT_THAT(ReadJson(ReadTextEncoderConfig,
                       With(Demo(), {{"num_attention_heads", 128}})),
              IsOk());
}

TEST(TextEncoderConfigTest, EpsilonMustNotVanish) {
  ExpectRefused(ReadTextEncoderConfig, Demo(),
                {{"layer_norm_eps", {0, -1e-5, 1e-50}, "a positive number"},
                 {"layer_norm_eps", {1e39}, "a number that fits f32"},
                 {"layer_norm_eps", {"1e-5"}, "a finite number"}});
}

TEST(TextEncoderConfigTest, OtherActivationsAreRefused) {
  ExpectRefused(ReadTextEncoderConfig, Demo(),
                {{"hidden_act",
                  {"relu", "silu", "gelu_new", "QuickGELU", ""},
                  "quick_gelu or gelu"},
                 {"hidden_act", {1, {"gelu"}}, "a string"}});
}

}  // namespace
}  // namespace tessera::model

#include "worker/lora/name_rules.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;

constexpr AdapterNet kUNet = AdapterNet::kUNet;
constexpr AdapterNet kText = AdapterNet::kTextEncoder;
constexpr AdapterNet kText2 = AdapterNet::kTextEncoder2;

// A key and what it means. The keys are those that the tools named write.
struct Case {
  std::string key;
  std::optional<Dialect> dialect;
  AdapterNet net;
  std::string layer;
  Part part;
};

class KeyTest : public ::testing::TestWithParam<Case> {};

TEST_P(KeyTest, IsUnderstood) {
  const std::optional<AdapterKey> key = ParseAdapterKey(GetParam().key);

  ASSERT_TRUE(key.has_value()) << GetParam().key;
  EXPECT_EQ(key->dialect, GetParam().dialect) << GetParam().key;
  EXPECT_EQ(key->net, GetParam().net) << GetParam().key;
  EXPECT_EQ(key->layer, GetParam().layer) << GetParam().key;
  EXPECT_EQ(key->part, GetParam().part) << GetParam().key;
}

const std::string kAttn = "mid_block.attentions.0.transformer_blocks.0.attn1";
const std::string kClip = "text_model.encoder.layers.3.self_attn";

INSTANTIATE_TEST_SUITE_P(
    PeftAndDiffusers, KeyTest,
    ::testing::Values(
        Case{"unet." + kAttn + ".to_q.lora_A.weight", Dialect::kPeft, kUNet,
             kAttn + ".to_q", Part::kDown},
        Case{"unet." + kAttn + ".to_out.0.lora_B.weight", Dialect::kPeft, kUNet,
             kAttn + ".to_out.0", Part::kUp},
        Case{"text_encoder." + kClip + ".q_proj.lora_A.weight", Dialect::kPeft,
             kText, kClip + ".q_proj", Part::kDown},
        Case{"text_encoder_2." + kClip + ".q_proj.lora_B.weight",
             Dialect::kPeft, kText2, kClip + ".q_proj", Part::kUp},
        Case{"base_model.model." + kAttn + ".to_q.lora_A.weight",
             Dialect::kPeft, kUNet, kAttn + ".to_q", Part::kDown},
        Case{"base_model.model.unet.conv_in.lora_A.default.weight",
             Dialect::kPeft, kUNet, "conv_in", Part::kDown},
        Case{"base_model.model." + kClip + ".v_proj.lora_B.weight",
             Dialect::kPeft, kText, kClip + ".v_proj", Part::kUp},
        Case{"unet." + kAttn + ".to_q.lora_magnitude_vector", Dialect::kPeft,
             kUNet, kAttn + ".to_q", Part::kMagnitude},
        Case{"unet.conv_in.lora_magnitude_vector.weight", Dialect::kPeft, kUNet,
             "conv_in", Part::kMagnitude},
        Case{"base_model.model.conv_in.hada_w1_a", Dialect::kPeft, kUNet,
             "conv_in", Part::kHadaW1A},
        Case{"unet." + kAttn + ".to_q.lora.down.weight", Dialect::kDiffusers,
             kUNet, kAttn + ".to_q", Part::kDown},
        Case{"text_encoder." + kClip + ".k_proj.lora_linear_layer.up.weight",
             Dialect::kDiffusers, kText, kClip + ".k_proj", Part::kUp},
        Case{"unet.conv_in.alpha", std::nullopt, kUNet, "conv_in",
             Part::kAlpha}));

INSTANTIATE_TEST_SUITE_P(
    OldDiffusers, KeyTest,
    ::testing::Values(
        Case{"unet." + kAttn + ".processor.to_q_lora.down.weight",
             Dialect::kDiffusersOld, kUNet, kAttn + ".to_q", Part::kDown},
        Case{kAttn + ".processor.to_out_lora.up.weight", Dialect::kDiffusersOld,
             kUNet, kAttn + ".to_out.0", Part::kUp},
        Case{"text_encoder." + kClip + ".to_v_lora.up.weight",
             Dialect::kDiffusersOld, kText, kClip + ".v_proj", Part::kUp},
        Case{"text_encoder." + kClip + ".to_out_lora.down.weight",
             Dialect::kDiffusersOld, kText, kClip + ".out_proj", Part::kDown}));

INSTANTIATE_TEST_SUITE_P(
    KohyaAndOneTrainer, KeyTest,
    ::testing::Values(
        Case{"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight",
             Dialect::kKohya, kUNet, "mid_block_attentions_0_proj_in",
             Part::kDown},
        Case{"lora_unet_input_blocks_4_1_proj_in.lora_up.weight",
             Dialect::kKohyaLdm, kUNet, "input_blocks_4_1_proj_in", Part::kUp},
        Case{"lora_unet_out_2.lora_mid.weight", Dialect::kKohyaLdm, kUNet,
             "out_2", Part::kMid},
        Case{"lora_te_text_model_encoder_layers_0_mlp_fc1.alpha",
             Dialect::kKohya, kText, "text_model_encoder_layers_0_mlp_fc1",
             Part::kAlpha},
        Case{"lora_te1_text_model_encoder_layers_0_mlp_fc1.dora_scale",
             Dialect::kKohya, kText, "text_model_encoder_layers_0_mlp_fc1",
             Part::kDoraScale},
        Case{"lora_te2_text_projection.diff_b", Dialect::kKohya, kText2,
             "text_projection", Part::kDiffBias},
        Case{"lora_unet_conv_norm_out.w_norm", Dialect::kKohya, kUNet,
             "conv_norm_out", Part::kNormGain},
        Case{"lora_unet_conv_in.lokr_w2_a", Dialect::kKohya, kUNet, "conv_in",
             Part::kLokrW2A},
        Case{"lora_unet." + kAttn + ".to_q.lora_down.weight",
             Dialect::kOneTrainer, kUNet, kAttn + ".to_q", Part::kDown},
        Case{"clip_g." + kClip + ".q_proj.lora_up.weight", Dialect::kOneTrainer,
             kText2, kClip + ".q_proj", Part::kUp},
        Case{"unet.middle_block.1.proj_in.alpha", Dialect::kOneTrainer, kUNet,
             "middle_block.1.proj_in", Part::kAlpha}));

TEST(NameRulesTest, OtherKeysAreNotUnderstood) {
  for (const char* key :
       {"", ".", "unet.", "unet.alpha", "alpha", "lora_unet_.alpha",
        "lora_unet_conv_in", "lora_unet_conv.in.alpha", "vae.conv_in.alpha",
        "unet.conv_in.lora_A.bias", "base_model.model.",
        "lora_te3_x.lora_up.weight", "bundle_emb.cat.string_to_param",
        "first_stage_model.decoder.conv_in.weight"}) {
    EXPECT_FALSE(ParseAdapterKey(key).has_value()) << key;
  }
}

TEST(NameRulesTest, SpellingsOfOneLayerFlattenAlike) {
  EXPECT_EQ(Flattened("text_model.encoder.layers.0"), "encoder_layers_0");
  EXPECT_EQ(Flattened("encoder.layers.0"), "encoder_layers_0");
  EXPECT_EQ(Flattened("text_model_encoder_layers_0"), "encoder_layers_0");
  EXPECT_EQ(Flattened("mid_block.proj_in"), "mid_block_proj_in");
}

TEST(NameRulesTest, EveryPartHasANameForMessages) {
  EXPECT_EQ(PartName(Part::kDown), "lora_down");
  EXPECT_EQ(PartName(Part::kDoraScale), "dora_scale");
  EXPECT_EQ(PartName(Part::kLokrT2), "lokr_t2");
}

}  // namespace
}  // namespace tessera::lora

#include "worker/lora/peft_metadata.h"

#include <map>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/adapter_builder.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Optional;

// Reads metadata whose entry is `json`.
absl::StatusOr<PeftScales> Read(const std::string& json) {
  return PeftScales::Read({{"format", "pt"}, {"lora_adapter_metadata", json}});
}

TEST(PeftMetadataTest, AlphaOfTheNetScalesByItsRank) {
  const auto scales =
      Read(R"({"unet.lora_alpha": 8, "text_encoder_2.lora_alpha": 2,
              "unet.r": 4})");
  ASSERT_TRUE(scales.ok()) << scales.status();

  EXPECT_THAT(scales->ScaleOf(AdapterNet::kUNet, "conv_in", 4), Optional(2.0));
  EXPECT_THAT(scales->ScaleOf(AdapterNet::kTextEncoder2, "x", 4),
              Optional(0.5));
  EXPECT_EQ(scales->ScaleOf(AdapterNet::kTextEncoder, "x", 4), std::nullopt);
}

TEST(PeftMetadataTest, PatternNamesALayerOrTheEndOfOne) {
  const auto scales = Read(
      R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 16}})");
  ASSERT_TRUE(scales.ok()) << scales.status();

  EXPECT_THAT(scales->ScaleOf(AdapterNet::kUNet, "a.attn1.to_q", 8),
              Optional(2.0));
  EXPECT_THAT(scales->ScaleOf(AdapterNet::kUNet, "attn1.to_q", 8),
              Optional(2.0));
  EXPECT_THAT(scales->ScaleOf(AdapterNet::kUNet, "a.xattn1.to_q", 8),
              Optional(1.0));
}

TEST(PeftMetadataTest, FirstPatternThatMatchesCounts) {
  const auto scales = Read(R"({"unet.lora_alpha": 8,
              "unet.alpha_pattern": {"to_q": 2, "attn1.to_q": 4}})");
  ASSERT_TRUE(scales.ok()) << scales.status();

  EXPECT_THAT(scales->ScaleOf(AdapterNet::kUNet, "attn1.to_q", 4),
              Optional(0.5));
}

TEST(PeftMetadataTest, RankStabilisationDividesByTheRoot) {
  const auto scales =
      Read(R"({"unet.lora_alpha": 8, "unet.use_rslora": true})");
  ASSERT_TRUE(scales.ok()) << scales.status();

  EXPECT_THAT(scales->ScaleOf(AdapterNet::kUNet, "conv_in", 16), Optional(2.0));
}

TEST(PeftMetadataTest, WithoutTheEntryNothingIsKnown) {
  const auto scales = PeftScales::Read({{"ss_network_alpha", "4.0"}});
  ASSERT_TRUE(scales.ok()) << scales.status();

  EXPECT_EQ(scales->ScaleOf(AdapterNet::kUNet, "conv_in", 4), std::nullopt);
}

TEST(PeftMetadataTest, BadConfigurationsAreRefused) {
  for (const auto& [json, what] : std::map<std::string, std::string>{
           {"[]", "not a JSON object"},
           {"{", "not a JSON object"},
           {R"({"unet.lora_alpha": "8"})", "not a number: unet.lora_alpha"},
           {R"({"unet.lora_alpha": 0})", "alpha is 0"},
           {R"({"unet.lora_alpha": 1e999})", "lora_adapter_metadata"},
           {R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"^a.*": 1}})",
            "not a layer's name: ^a.*"}}) {
    EXPECT_THAT(Read(json),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)))
        << json;
  }
}

TEST(PeftMetadataTest, FileWithoutAlphaIsScaledByIt) {
  AdapterBuilder file;
  file.Add("unet.conv_in.lora_A.weight", {2, 4}, 1)
      .Add("unet.conv_in.lora_B.weight", {8, 2}, 2)
      .AddMetadata("lora_adapter_metadata", R"({"unet.lora_alpha": 8})");
  const OneLayer layer(file);

  EXPECT_THAT(layer.parts().scale_from_metadata, Optional(4.0));
}

}  // namespace
}  // namespace tessera::lora

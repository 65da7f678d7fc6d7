#include "worker/lora/ldm_names.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::lora {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

// What the checkpoints of Stable Diffusion 1.5 and XL base call these layers.
const UNetBlocks kSd1{2, {false, true, true, true}};
const UNetBlocks kXl{2, {true, true, false}};

TEST(LdmNamesTest, NamesTheLayersOfStableDiffusion1) {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"conv_in", "input_blocks.0.0"},
      {"time_embedding.linear_2", "time_embed.2"},
      {"down_blocks.0.resnets.0.conv1", "input_blocks.1.0.in_layers.2"},
      {"down_blocks.0.attentions.1.proj_out", "input_blocks.2.1.proj_out"},
      {"down_blocks.0.downsamplers.0.conv", "input_blocks.3.0.op"},
      {"down_blocks.1.resnets.0.conv_shortcut",
       "input_blocks.4.0.skip_connection"},
      {"down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
       "input_blocks.4.1.transformer_blocks.0.attn2.to_k"},
      {"down_blocks.3.resnets.1.time_emb_proj",
       "input_blocks.11.0.emb_layers.1"},
      {"mid_block.resnets.0.norm1", "middle_block.0.in_layers.0"},
      {"mid_block.attentions.0.norm", "middle_block.1.norm"},
      {"mid_block.resnets.1.conv2", "middle_block.2.out_layers.3"},
      {"up_blocks.0.resnets.2.norm2", "output_blocks.2.0.out_layers.0"},
      {"up_blocks.0.upsamplers.0.conv", "output_blocks.2.1.conv"},
      {"up_blocks.1.upsamplers.0.conv", "output_blocks.5.2.conv"},
      {"up_blocks.3.attentions.2.proj_in", "output_blocks.11.1.proj_in"},
      {"conv_norm_out", "out.0"},
      {"conv_out", "out.2"},
  };
  for (const auto& [diffusers, ldm] : names) {
    EXPECT_THAT(LdmName(diffusers, kSd1), Optional(ldm)) << diffusers;
  }
}

TEST(LdmNamesTest, NamesTheLayersOfXl) {
  EXPECT_THAT(LdmName("add_embedding.linear_1", kXl),
              Optional(std::string("label_emb.0.0")));
  EXPECT_THAT(
      LdmName("down_blocks.2.attentions.1.transformer_blocks.9.ff.net.2", kXl),
      Optional(std::string("input_blocks.8.1.transformer_blocks.9.ff.net.2")));
  EXPECT_THAT(LdmName("up_blocks.0.upsamplers.0.conv", kXl),
              Optional(std::string("output_blocks.2.2.conv")));
  EXPECT_THAT(LdmName("up_blocks.1.upsamplers.0.conv", kXl),
              Optional(std::string("output_blocks.5.2.conv")));
}

TEST(LdmNamesTest, WhatIsNoLayerHasNoName) {
  for (const char* name :
       {"", "conv", "down_blocks", "down_blocks.x.resnets.0.conv1",
        "down_blocks.0.resnets.0.conv3", "mid_block.attentions.1.proj_in",
        "mid_block.resnets.2.conv1", "up_blocks.0.downsamplers.0.conv",
        "down_blocks.-1.resnets.0.conv1", "encoder.layers.0"}) {
    EXPECT_EQ(LdmName(name, kSd1), std::nullopt) << name;
  }
}

TEST(LdmNamesTest, BlocksAreReadOffTheNames) {
  const UNetBlocks blocks = UNetBlocks::Of(
      {"conv_in", "down_blocks.0.resnets.0.conv1",
       "down_blocks.0.resnets.1.conv1", "down_blocks.0.resnets.1.conv2",
       "down_blocks.1.resnets.2.conv1", "up_blocks.0.resnets.0.conv1",
       "up_blocks.1.attentions.0.proj_in", "up_blocks.1.resnets.0.conv1"});

  EXPECT_EQ(blocks.layers_per_block, 2);
  EXPECT_THAT(blocks.up_attention, ElementsAre(false, true));
}

}  // namespace
}  // namespace tessera::lora

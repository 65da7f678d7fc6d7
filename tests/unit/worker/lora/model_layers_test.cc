#include "worker/lora/model_layers.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/lora/adapter_builder.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

const std::string kDemo =
    std::string(TESSERA_SOURCE_DIR) + "/deploy/local/models/emoji-sd";

TEST(ModelLayersTest, ReadsTheShapesOfAModelFolder) {
  const auto layers = ModelLayers::Read(kDemo);
  ASSERT_TRUE(layers.ok()) << layers.status();

  const ModelLayer* const conv = layers->Find(AdapterNet::kUNet, "conv_in");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->inputs, 4);
  EXPECT_EQ(conv->window(), 9);
  EXPECT_EQ(conv->columns(), 36);
  EXPECT_TRUE(conv->has_bias);
  const ModelLayer* const norm =
      layers->Find(AdapterNet::kUNet, "conv_norm_out");
  ASSERT_NE(norm, nullptr);
  EXPECT_TRUE(norm->is_norm());
  EXPECT_EQ(layers->text_width(), 128);
  EXPECT_EQ(layers->model_dir(), kDemo);
}

TEST(ModelLayersTest, EmbeddingsAreNoLayers) {
  const auto layers = ModelLayers::Read(kDemo);
  ASSERT_TRUE(layers.ok()) << layers.status();

  for (const ModelLayer& layer : layers->layers()) {
    EXPECT_EQ(layer.name.find("embeddings."), std::string::npos) << layer.name;
  }
  EXPECT_FALSE(layers->Has(AdapterNet::kTextEncoder2));
}

TEST(ModelLayersTest, FolderWithoutModelIsNotFound) {
  const testing::TemporaryFolder folder;

  EXPECT_THAT(ModelLayers::Read(folder.path()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("unet")));
}

TEST(ModelLayersTest, SecondTextEncoderIsReadWhereThereIsOne) {
  const testing::TemporaryFolder folder;
  AdapterBuilder net;
  net.Add("conv_in.weight", {8, 4, 3, 3}, 1);
  testing::WriteText(folder / "unet/diffusion_pytorch_model.safetensors",
                     net.Bytes());
  AdapterBuilder text;
  text.Add("text_projection.weight", {8, 8}, 1);
  testing::WriteText(folder / "text_encoder/model.safetensors", text.Bytes());
  testing::WriteText(folder / "text_encoder_2/model.safetensors", text.Bytes());

  const auto layers = ModelLayers::Read(folder.path());

  ASSERT_TRUE(layers.ok()) << layers.status();
  EXPECT_NE(layers->Find(AdapterNet::kTextEncoder2, "text_projection"),
            nullptr);
}

TEST(ModelLayersTest, EverySpellingFindsTheLayer) {
  const ModelLayers model = SmallModel();
  const std::string q =
      "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
  const ModelLayer* const layer = model.Find(AdapterNet::kUNet, q);
  ASSERT_NE(layer, nullptr);

  for (const char* name :
       {"down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
        "input_blocks_1_1_transformer_blocks_0_attn1_to_q",
        "input_blocks.1.1.transformer_blocks.0.attn1.to_q"}) {
    EXPECT_EQ(model.Find(AdapterNet::kUNet, name), layer) << name;
  }
  EXPECT_EQ(model.Find(AdapterNet::kTextEncoder, q), nullptr);
  EXPECT_EQ(model.Find(AdapterNet::kTextEncoder, "encoder.layers.0.mlp.fc1"),
            model.Find(AdapterNet::kTextEncoder,
                       "text_model_encoder_layers_0_mlp_fc1"));
}

TEST(ModelLayersTest, NameOfTwoLayersFindsNeither) {
  const ModelLayers model("odd", {{AdapterNet::kUNet, "a.b_c", 1, 1},
                                  {AdapterNet::kUNet, "a_b.c", 1, 1}});

  EXPECT_EQ(model.Find(AdapterNet::kUNet, "a_b_c"), nullptr);
  EXPECT_EQ(model.Find(AdapterNet::kUNet, "a.b_c"), nullptr);
}

}  // namespace
}  // namespace tessera::lora

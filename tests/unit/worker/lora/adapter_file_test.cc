#include "worker/lora/adapter_file.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/lora/adapter_builder.h"
#include "tests/unit/worker/lora/matrix.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;
using model::LayerTensor;
using ::tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const std::string kBlock = "down_blocks.0.attentions.0.transformer_blocks.0.";

class AdapterFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<BoundAdapter> Read(const AdapterBuilder& file,
                                    const AdapterOptions& options) {
    return ReadAdapterFile(file.Write(folder_, "a.safetensors"), model_,
                           options, *device_);
  }

  // Expects that a file is refused for a reason that holds `what`.
  void ExpectRefused(const AdapterBuilder& file, const std::string& what) {
    EXPECT_THAT(Read(file, {}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("a.safetensors"), HasSubstr(what))));
  }

  testing::TemporaryFolder folder_;
  const ModelLayers model_ = SmallModel();
  const std::unique_ptr<kernels::Device> device_ =
      kernels::CreateCpuDevice(1).value();
};

// Adds a layer of rank `lora_rank` whose matrices are named by `down` and `up`.
void AddPair(AdapterBuilder& file, const std::string& down,
             const std::string& up, int64_t outputs, int64_t inputs,
             int64_t lora_rank, int seed) {
  file.Add(down, {lora_rank, inputs}, seed)
      .Add(up, {outputs, lora_rank}, seed + 1);
}

TEST_F(AdapterFileTest, LowRankLayersArePackedByNetAndName) {
  AdapterBuilder file;
  AddPair(file,
          "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_A.weight",
          "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_B.weight", 24,
          6, 3, 1);
  AddPair(file, "unet." + kBlock + "attn1.to_q.lora_A.weight",
          "unet." + kBlock + "attn1.to_q.lora_B.weight", 8, 8, 2, 3);
  file.AddAlpha("unet." + kBlock + "attn1.to_q.alpha", 1);

  const auto bound = Read(file, {});

  ASSERT_TRUE(bound.ok()) << bound.status();
  const model::AdapterWeights& weights = *bound->weights;
  EXPECT_TRUE(weights.low_rank());
  ASSERT_EQ(weights.layers.size(), 2u);
  EXPECT_EQ(weights.layers[0].net, AdapterNet::kUNet);
  EXPECT_EQ(weights.layers[0].name, kBlock + "attn1.to_q");
  EXPECT_EQ(weights.layers[0].scale, 0.5f);
  EXPECT_EQ(weights.layers[0].down.n(), 2);
  EXPECT_EQ(weights.layers[1].name, "text_model.encoder.layers.0.mlp.fc1");
  EXPECT_EQ(weights.layers[1].up.n(), 24);
  EXPECT_EQ(weights.digest.size(), 64u);
}

TEST_F(AdapterFileTest, ReportCountsWhatMatched) {
  AdapterBuilder file;
  AddPair(file, "lora_unet_conv_in.lora_down.weight",
          "lora_unet_conv_in.lora_up.weight", 8, 36, 2, 1);
  AdapterBuilder good;
  good.Add("lora_unet_conv_in.lora_down.weight", {2, 4, 3, 3}, 1)
      .Add("lora_unet_conv_in.lora_up.weight", {8, 2, 1, 1}, 2)
      .Add("lora_unet_input_blocks_1_0_in_layers_0.w_norm", {8}, 3)
      .Add("lora_te_text_model_encoder_layers_0_mlp_fc1.diff", {24, 6}, 4);

  const auto bound = Read(good, {});

  ASSERT_TRUE(bound.ok()) << bound.status();
  const AdapterReport& report = bound->report;
  EXPECT_EQ(report.dialect, "kohya, kohya with LDM block names");
  EXPECT_EQ(report.keys, 4);
  EXPECT_EQ(report.matched_keys, 4);
  EXPECT_THAT(report.layers_by_kind,
              ElementsAre(Pair("LoRA", 1), Pair("full difference", 1),
                          Pair("norm", 1)));
  EXPECT_THAT(report.layers_by_net,
              ElementsAre(Pair("UNet", 2), Pair("text encoder", 1)));
  EXPECT_EQ(report.bytes, bound->weights->layers[0].down.bytes() +
                              bound->weights->layers[0].up.bytes() +
                              (8 + 24 * 6) * 4);
  // A flattened kernel would fit by its elements alone.
  ExpectRefused(file, "shape 8x36, the model has 8x36 (kernel 3x3)");
}

TEST_F(AdapterFileTest, OtherKindsBecomeChangesByNameAndTensor) {
  AdapterBuilder file;
  file.Add("lora_unet_conv_in.diff", {8, 4, 3, 3}, 1)
      .Add("lora_unet_conv_in.diff_b", {8}, 2)
      .Add("lora_unet_down_blocks_0_resnets_0_norm1.w_norm", {8}, 3)
      .Add("lora_unet_down_blocks_0_resnets_0_norm1.b_norm", {8}, 4);

  const auto bound = Read(file, {});

  ASSERT_TRUE(bound.ok()) << bound.status();
  const auto& changes = bound->weights->changes;
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_FALSE(bound->weights->low_rank());
  EXPECT_EQ(changes[0].name, "conv_in");
  EXPECT_EQ(changes[0].tensor, LayerTensor::kWeight);
  EXPECT_EQ(changes[0].change->elements(), 8 * 36);
  EXPECT_EQ(changes[1].tensor, LayerTensor::kBias);
  EXPECT_EQ(changes[2].name, "down_blocks.0.resnets.0.norm1");
  EXPECT_EQ(changes[3].change->elements(), 8);
}

TEST_F(AdapterFileTest, DoraIsAChangeOfTheWeight) {
  AdapterBuilder file;
  AddPair(file, "lora_unet_time_embedding_linear_1.lora_down.weight",
          "lora_unet_time_embedding_linear_1.lora_up.weight", 16, 8, 2, 1);
  file.Add("lora_unet_time_embedding_linear_1.dora_scale", {16, 1}, 3);

  const auto bound = Read(file, {});

  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_TRUE(bound->weights->layers.empty());
  ASSERT_EQ(bound->weights->changes.size(), 1u);
  EXPECT_THAT(bound->report.layers_by_kind,
              ElementsAre(Pair("LoRA with DoRA", 1)));
}

TEST_F(AdapterFileTest, RankBeyondTheOpsIsAChange) {
  AdapterBuilder file;
  AddPair(file, "lora_unet_time_embedding_linear_1.lora_down.weight",
          "lora_unet_time_embedding_linear_1.lora_up.weight", 16, 8, 1025, 1);

  const auto bound = Read(file, {});

  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_TRUE(bound->weights->layers.empty());
  EXPECT_EQ(bound->weights->changes.size(), 1u);
}

TEST_F(AdapterFileTest, HalfPrecisionIsReadExactly) {
  for (const kernels::DType dtype :
       {kernels::DType::kF16, kernels::DType::kBF16}) {
    AdapterBuilder file(dtype), reference;
    for (AdapterBuilder* const one : {&file, &reference}) {
      AddPair(*one, "lora_unet_time_embedding_linear_1.lora_down.weight",
              "lora_unet_time_embedding_linear_1.lora_up.weight", 16, 8, 2, 1);
      one->AddAlpha("lora_unet_time_embedding_linear_1.alpha", 1.5f);
    }

    const auto found = Read(file, {}), expected = Read(reference, {});

    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_TRUE(expected.ok()) << expected.status();
    const auto& a = found->weights->layers[0];
    const auto& b = expected->weights->layers[0];
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(std::memcmp(a.down.panels(), b.down.panels(),
                          static_cast<size_t>(a.down.bytes())),
              0);
  }
}

TEST_F(AdapterFileTest, KeysThatDoNotFitAreRefusedByName) {
  AdapterBuilder file;
  AddPair(file, "lora_unet_time_embedding_linear_1.lora_down.weight",
          "lora_unet_time_embedding_linear_1.lora_up.weight", 16, 8, 2, 1);
  AddPair(file, "lora_unet_time_embedding_linear_9.lora_down.weight",
          "lora_unet_time_embedding_linear_9.lora_up.weight", 16, 8, 2, 1);
  file.Add("bundle_emb.cat", {6}, 3);

  ExpectRefused(
      file,
      "2 of 5 keys matched, dialect kohya: "
      "lora_unet_time_embedding_linear_9.lora_down.weight (the model has no "
      "such layer), lora_unet_time_embedding_linear_9.lora_up.weight (the "
      "model has no such layer), bundle_emb.cat (a key of no known dialect)");
}

TEST_F(AdapterFileTest, UnmatchedKeysMayBeLeftToTheReport) {
  AdapterBuilder file;
  AddPair(file, "lora_unet_time_embedding_linear_1.lora_down.weight",
          "lora_unet_time_embedding_linear_1.lora_up.weight", 16, 8, 2, 1);
  AddPair(file, "lora_unet_conv_in.lora_down.weight",
          "lora_unet_conv_in.lora_up.weight", 8, 9, 2, 1);

  const auto bound = Read(file, {.allow_unmatched = true});

  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->weights->layers.size(), 1u);
  EXPECT_EQ(bound->report.matched_keys, 2);
  ASSERT_EQ(bound->report.unmatched.size(), 2u);
  // What pictures made with it warn of.
  EXPECT_EQ(bound->weights->unmatched, UnmatchedText(bound->report));
  EXPECT_EQ(bound->report.unmatched[0].why,
            "shape 8x9, the model has 8x36 (kernel 3x3)");
}

TEST_F(AdapterFileTest, FileOfWhichNothingFitsIsRefusedAlways) {
  AdapterBuilder file;
  file.Add("lora_unet_nowhere.diff", {8}, 1);

  EXPECT_THAT(Read(file, {.allow_unmatched = true}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("0 of 1 keys matched")));
}

TEST_F(AdapterFileTest, MisfitsAreRefusedWithTheReason) {
  const auto refused = [&](const std::string& layer, const std::string& part,
                           std::vector<int64_t> shape,
                           const std::string& what) {
    AdapterBuilder file;
    file.Add("lora_unet_" + layer + "." + part, std::move(shape), 1);
    ExpectRefused(file, what);
  };
  const std::string q =
      "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  refused("conv_in", "diff", {8, 4, 1, 9},
          "shape 8x36 (kernel 1x9), the model has 8x36 (kernel 3x3)");
  refused(q, "diff", {8, 9}, "shape 8x9, the model has 8x8");
  refused(q, "diff_b", {8}, "the model's layer has no bias");
  refused("conv_in", "diff_b", {9}, "shape 9, the model has 8");
  refused("conv_in", "w_norm", {8}, "the model's layer is no norm");
  AdapterBuilder norm, magnitude;
  AddPair(norm, "lora_unet_down_blocks_0_resnets_0_norm1.lora_down.weight",
          "lora_unet_down_blocks_0_resnets_0_norm1.lora_up.weight", 8, 1, 1, 1);
  AddPair(magnitude, "lora_unet_" + q + ".lora_down.weight",
          "lora_unet_" + q + ".lora_up.weight", 8, 8, 1, 1);
  magnitude.Add("lora_unet_" + q + ".dora_scale", {9, 1}, 3);
  ExpectRefused(norm, "the model's layer is a norm");
  ExpectRefused(magnitude, "9 magnitudes of DoRA, the model has 8 outputs");
}

TEST_F(AdapterFileTest, LoraOfAnotherBaseIsCalledSo) {
  const ModelLayers sd1("sd1",
                        {{AdapterNet::kUNet, kBlock + "attn2.to_k", 320, 768}});
  AdapterBuilder file;
  AddPair(file,
          "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k."
          "lora_down.weight",
          "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k."
          "lora_up.weight",
          640, 2048, 1, 1);

  EXPECT_THAT(
      ReadAdapterFile(file.Write(folder_, "a"), sd1, {}, *device_),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("the LoRA is for Stable Diffusion XL (text width "
                         "2048), the model is Stable Diffusion 1 (text width "
                         "768)")));
  AdapterBuilder text;
  text.Add("lora_te2_text_projection.diff", {1280, 1280}, 1);
  ExpectRefused(text, "two text encoders (Stable Diffusion XL)");
}

TEST_F(AdapterFileTest, DigestIsOfTheFileUnlessItIsKnown) {
  AdapterBuilder file;
  file.Add("lora_unet_conv_in.diff", {8, 4, 3, 3}, 1);

  EXPECT_EQ(Read(file, {}).value().weights->digest, Sha256Hex(file.Bytes()));
  EXPECT_EQ(Read(file, {.sha256 = "known"}).value().weights->digest, "known");
}

TEST_F(AdapterFileTest, TwoNamesOfOneLayerAreRefused) {
  AdapterBuilder file;
  file.Add("lora_unet_conv_in.diff", {8, 4, 3, 3}, 1)
      .Add("lora_unet_input_blocks_0_0.diff_b", {8}, 1);

  ExpectRefused(file, "two names of the same layer: conv_in and input_blocks");
}

TEST_F(AdapterFileTest, AdapterBeyondTheBudgetIsRefused) {
  AdapterBuilder file;
  AddPair(file, "lora_unet_time_embedding_linear_1.lora_down.weight",
          "lora_unet_time_embedding_linear_1.lora_up.weight", 16, 8, 2, 1);
  const int64_t tensors = (2 * 8 + 16 * 2) * 4;
  const int64_t parsed = Read(file, {}).value().report.bytes;
  ASSERT_GT(parsed, tensors);

  EXPECT_THAT(Read(file, {.max_bytes = tensors - 1}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("larger than the budget: 192 bytes")));
  EXPECT_THAT(Read(file, {.max_bytes = parsed - 1}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("larger than the budget: more than")));
  EXPECT_TRUE(Read(file, {.max_bytes = parsed}).ok());
}

}  // namespace
}  // namespace tessera::lora

// One adapter written in every dialect is one adapter.
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/lora/adapter_builder.h"
#include "tests/unit/worker/lora/matrix.h"
#include "worker/lora/adapter_file.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;

// A layer of the adapter: the model's name and the sizes.
struct Layer {
  AdapterNet net;
  std::string name;
  std::vector<int64_t> down, up;
};

const std::string kBlock = "down_blocks.0.attentions.0.transformer_blocks.0.";
const std::string kClip = "text_model.encoder.layers.0.self_attn.";

// The layers that every dialect can name: attention in both nets.
std::vector<Layer> AttentionLayers() {
  return {{AdapterNet::kUNet, kBlock + "attn1.to_q", {2, 8}, {8, 2}},
          {AdapterNet::kUNet, kBlock + "attn1.to_out.0", {3, 8}, {8, 3}},
          {AdapterNet::kTextEncoder, kClip + "q_proj", {2, 6}, {6, 2}},
          {AdapterNet::kTextEncoder, kClip + "out_proj", {2, 6}, {6, 2}}};
}

// Convolutions and others, which the old attention processors cannot name.
std::vector<Layer> OtherLayers() {
  return {{AdapterNet::kUNet, "conv_in", {2, 4, 3, 3}, {8, 2, 1, 1}},
          {AdapterNet::kUNet, "time_embedding.linear_1", {2, 8}, {16, 2}},
          {AdapterNet::kUNet,
           "down_blocks.0.resnets.0.time_emb_proj",
           {2, 16},
           {8, 2}},
          {AdapterNet::kUNet,
           "up_blocks.0.upsamplers.0.conv",
           {2, 8, 3, 3},
           {8, 2, 1, 1}}};
}

// What kohya's trainer for LDM checkpoints calls the UNet's layers.
const std::map<std::string, std::string> kLdm = {
    {kBlock + "attn1.to_q", "input_blocks.1.1.transformer_blocks.0.attn1.to_q"},
    {kBlock + "attn1.to_out.0",
     "input_blocks.1.1.transformer_blocks.0.attn1.to_out.0"},
    {"conv_in", "input_blocks.0.0"},
    {"time_embedding.linear_1", "time_embed.0"},
    {"down_blocks.0.resnets.0.time_emb_proj", "input_blocks.1.0.emb_layers.1"},
    {"up_blocks.0.upsamplers.0.conv", "output_blocks.2.1.conv"}};

// How a dialect spells the keys of a layer.
using Spell = std::string (*)(const Layer& layer, bool down);

std::string Peft(const Layer& layer, bool down) {
  return absl::StrCat(
      layer.net == AdapterNet::kUNet ? "unet." : "text_encoder.", layer.name,
      down ? ".lora_A.weight" : ".lora_B.weight");
}

std::string PeftWrapped(const Layer& layer, bool down) {
  return absl::StrCat("base_model.model.", layer.name,
                      down ? ".lora_A.weight" : ".lora_B.weight");
}

std::string Diffusers(const Layer& layer, bool down) {
  const bool unet = layer.net == AdapterNet::kUNet;
  return absl::StrCat(unet ? "unet." : "text_encoder.", layer.name,
                      unet ? ".lora." : ".lora_linear_layer.",
                      down ? "down.weight" : "up.weight");
}

std::string DiffusersOld(const Layer& layer, bool down) {
  const bool unet = layer.net == AdapterNet::kUNet;
  std::string name = absl::StrReplaceAll(
      layer.name, {{"attn1.to_q", "attn1.processor.to_q_lora"},
                   {"attn1.to_out.0", "attn1.processor.to_out_lora"},
                   {"q_proj", "to_q_lora"},
                   {"out_proj", "to_out_lora"}});
  return absl::StrCat(unet ? "unet." : "text_encoder.", name,
                      down ? ".down.weight" : ".up.weight");
}

// Joins kohya's prefix and a name without dots.
std::string Underscored(const Layer& layer, const std::string& text_prefix,
                        const std::string& name, bool down) {
  return absl::StrCat(
      layer.net == AdapterNet::kUNet ? "lora_unet_" : text_prefix,
      absl::StrReplaceAll(name, {{".", "_"}}),
      down ? ".lora_down.weight" : ".lora_up.weight");
}

std::string Kohya(const Layer& layer, bool down) {
  return Underscored(layer, "lora_te_", layer.name, down);
}

std::string KohyaXl(const Layer& layer, bool down) {
  return Underscored(layer, "lora_te1_", layer.name, down);
}

// Returns LDM's name of a UNet's layer.
std::string Ldm(const Layer& layer) {
  return layer.net == AdapterNet::kUNet ? kLdm.at(layer.name) : layer.name;
}

std::string KohyaLdm(const Layer& layer, bool down) {
  return Underscored(layer, "lora_te_", Ldm(layer), down);
}

std::string OneTrainer(const Layer& layer, bool down) {
  return absl::StrCat(
      layer.net == AdapterNet::kUNet ? "lora_unet." : "lora_te.", layer.name,
      down ? ".lora_down.weight" : ".lora_up.weight");
}

std::string OneTrainerLdm(const Layer& layer, bool down) {
  return absl::StrCat(layer.net == AdapterNet::kUNet ? "unet." : "clip_l.",
                      Ldm(layer),
                      down ? ".lora_down.weight" : ".lora_up.weight");
}

// A dialect, and whether it can name more than attention.
struct Dialect {
  std::string name;  // as the report tells it
  Spell spell;
  bool all_layers;
};

const std::vector<Dialect> kDialects = {
    {"PEFT", Peft, true},
    {"PEFT", PeftWrapped, true},
    {"diffusers", Diffusers, true},
    {"diffusers with attention processors", DiffusersOld, false},
    {"kohya", Kohya, true},
    {"kohya", KohyaXl, true},
    {"kohya, kohya with LDM block names", KohyaLdm, true},
    {"OneTrainer", OneTrainer, true},
    {"OneTrainer", OneTrainerLdm, true},
};

class DialectsTest : public ::testing::Test {
 protected:
  // Writes the layers as a dialect does and reads them back.
  BoundAdapter Read(const Dialect& dialect, const std::vector<Layer>& layers) {
    AdapterBuilder file;
    int seed = 0;
    for (const Layer& layer : layers) {
      file.Add(dialect.spell(layer, true), layer.down, seed + 1)
          .Add(dialect.spell(layer, false), layer.up, seed + 2);
      seed += 2;
    }
    auto bound =
        ReadAdapterFile(file.Write(folder_, "a"), SmallModel(), {}, *device_);
    EXPECT_TRUE(bound.ok()) << bound.status();
    return *std::move(bound);
  }

  testing::TemporaryFolder folder_;
  const std::unique_ptr<kernels::Device> device_ =
      kernels::CreateCpuDevice(1).value();
};

// Expects the same bytes in two packed matrices.
void ExpectSameBytes(const kernels::PackedWeights& a,
                     const kernels::PackedWeights& b) {
  ASSERT_EQ(a.bytes(), b.bytes());
  EXPECT_EQ(std::memcmp(a.panels(), b.panels(), static_cast<size_t>(a.bytes())),
            0);
}

// Expects two adapters to be the same, layer by layer.
void ExpectSame(const model::AdapterWeights& a,
                const model::AdapterWeights& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].net, b.layers[i].net);
    EXPECT_EQ(a.layers[i].name, b.layers[i].name);
    EXPECT_EQ(a.layers[i].scale, b.layers[i].scale);
    ExpectSameBytes(a.layers[i].down, b.layers[i].down);
    ExpectSameBytes(a.layers[i].up, b.layers[i].up);
  }
}

TEST_F(DialectsTest, AttentionIsTheSameInEveryDialect) {
  const BoundAdapter reference = Read(kDialects[0], AttentionLayers());
  ASSERT_EQ(reference.weights->layers.size(), 4u);
  for (const Dialect& dialect : kDialects) {
    SCOPED_TRACE(dialect.name);

    const BoundAdapter bound = Read(dialect, AttentionLayers());

    EXPECT_EQ(bound.report.dialect, dialect.name);
    ExpectSame(*bound.weights, *reference.weights);
  }
}

TEST_F(DialectsTest, OtherLayersAreTheSameInEveryDialectThatNamesThem) {
  const BoundAdapter reference = Read(kDialects[0], OtherLayers());
  ASSERT_EQ(reference.weights->layers.size(), 4u);
  for (const Dialect& dialect : kDialects) {
    if (!dialect.all_layers) continue;
    SCOPED_TRACE(dialect.name);

    ExpectSame(*Read(dialect, OtherLayers()).weights, *reference.weights);
  }
}

// The kinds of LyCORIS with every beginning that a key may have.
TEST_F(DialectsTest, OtherKindsAreTheSameInEveryDialectThatWritesThem) {
  const auto changes = [&](const std::string& start) {
    AdapterBuilder file;
    file.Add(start + ".hada_w1_a", {8, 2}, 1)
        .Add(start + ".hada_w1_b", {2, 36}, 2)
        .Add(start + ".hada_w2_a", {8, 2}, 3)
        .Add(start + ".hada_w2_b", {2, 36}, 4)
        .AddAlpha(start + ".alpha", 1)
        .Add(start + ".dora_scale", {8, 1, 1, 1}, 5)
        .Add(start + ".diff_b", {8}, 6);
    const auto bound =
        ReadAdapterFile(file.Write(folder_, "a"), SmallModel(), {}, *device_);
    EXPECT_TRUE(bound.ok()) << bound.status();
    std::vector<double> sum(8 * 36);
    bound->weights->changes.at(0).change->AddTo(Numbers(8 * 36, 7), 0.5, sum);
    return sum;
  };
  const std::vector<double> reference = changes("lora_unet_conv_in");
  for (const char* start : {"lora_unet_input_blocks_0_0", "unet.conv_in",
                            "base_model.model.conv_in", "lora_unet.conv_in",
                            "unet.input_blocks.0.0", "conv_in"}) {
    EXPECT_EQ(changes(start), reference) << start;
  }
}

}  // namespace
}  // namespace tessera::lora

#include "worker/lora/inspect.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/lora/adapter_builder.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kLayer = "lora_unet_conv_in";

class InspectTest : public ::testing::Test {
 protected:
  // Expects that the file is refused for a reason that holds `what`.
  void ExpectRefused(const std::string& bytes, const std::string& what) {
    testing::WriteText(folder_ / "x.safetensors", bytes);
    EXPECT_THAT(InspectAdapterFile(folder_ / "x.safetensors"),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("x.safetensors"), HasSubstr(what))));
  }
  void ExpectRefused(const AdapterBuilder& file, const std::string& what) {
    ExpectRefused(file.Bytes(), what);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(InspectTest, CountsLayersAndNamesTheDialect) {
  AdapterBuilder file;
  file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
      .Add(kLayer + ".lora_up.weight", {8, 2}, 2)
      .AddAlpha(kLayer + ".alpha", 1)
      .Add("lora_te_text_projection.diff", {6, 6}, 3)
      .Add("bundle_emb.cat", {6}, 4);

  const auto facts = InspectAdapterFile(file.Write(folder_, "a.safetensors"));

  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->dialect, "kohya");
  EXPECT_EQ(facts->layers, 2);
  EXPECT_EQ(facts->keys, 5);
  EXPECT_EQ(facts->unknown_keys, 1);
}

TEST_F(InspectTest, DemoLorasPass) {
  for (const auto& [file, dialect] :
       std::vector<std::pair<std::string, std::string>>{
           {"ink-peft", "PEFT"}, {"ink-kohya", "kohya"}}) {
    const auto facts =
        InspectAdapterFile(std::string(TESSERA_SOURCE_DIR) +
                           "/tests/golden/loras/" + file + ".safetensors");
    ASSERT_TRUE(facts.ok()) << facts.status();
    EXPECT_EQ(facts->dialect, dialect);
    EXPECT_GT(facts->layers, 100);
  }
}

TEST_F(InspectTest, MissingFileIsNotFound) {
  EXPECT_THAT(InspectAdapterFile(folder_ / "none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(InspectTest, WhatIsNoSafetensorsFileIsRefused) {
  AdapterBuilder file;
  file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
      .Add(kLayer + ".lora_up.weight", {8, 2}, 2);
  const std::string whole = file.Bytes();

  ExpectRefused("", "empty");
  ExpectRefused(whole.substr(0, 5), "too short");
  ExpectRefused(whole.substr(0, 40), "does not fit");
  ExpectRefused(whole.substr(0, whole.size() - 4), "not a valid safetensors");
  ExpectRefused("<!DOCTYPE html><html>", "does not fit");
}

TEST_F(InspectTest, PicklesAreRefusedByName) {
  ExpectRefused(std::string("PK\x03\x04") + "archive/data.pkl", "pickle");
  ExpectRefused("\x80\x02}q\x01X\x04", "pickle");
}

TEST_F(InspectTest, HeaderThatBeginsLikeAPickleIsRead) {
  // A header of 0x0280 bytes: the file begins with the bytes 80 02.
  AdapterBuilder file;
  file.Add(kLayer + ".diff", {1}, 1);
  const size_t length = file.Bytes().size() - 8 - 4;
  file.AddMetadata("pad", std::string(0x280 - length - 26, 'x'));
  ASSERT_EQ(file.Bytes().substr(0, 2), "\x80\x02");

  EXPECT_TRUE(InspectAdapterFile(file.Write(folder_, "a")).ok());
}

TEST_F(InspectTest, ForeignKeysAreRefused) {
  AdapterBuilder file;
  file.Add("model.diffusion_model.conv_in.weight", {8, 4}, 1);

  ExpectRefused(file,
                "no key of a known LoRA dialect among 1, the first is "
                "model.diffusion_model.conv_in.weight");
  ExpectRefused(AdapterBuilder(), "no key of a known LoRA dialect among 0");
}

TEST_F(InspectTest, HalvesThatDoNotPairAreRefused) {
  AdapterBuilder down, up, alpha;
  down.Add(kLayer + ".lora_down.weight", {2, 4}, 1);
  up.Add("unet.conv_in.lora_B.weight", {8, 2}, 1);
  alpha.AddAlpha(kLayer + ".alpha", 1);

  ExpectRefused(down, "without lora_up: conv_in");
  ExpectRefused(up, "without lora_down: conv_in");
  ExpectRefused(alpha, "without the matrices of any kind: conv_in");
}

TEST_F(InspectTest, RanksThatDisagreeAreRefused) {
  AdapterBuilder file;
  file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
      .Add(kLayer + ".lora_up.weight", {8, 3}, 2);

  ExpectRefused(file, "ranks disagree: 2 and 3: conv_in");
}

TEST_F(InspectTest, ValuesThatAreNotFiniteAreRefused) {
  for (const kernels::DType dtype :
       {kernels::DType::kF32, kernels::DType::kBF16}) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      AdapterBuilder file(dtype);
      file.Add(kLayer + ".lora_down.weight", {1, 2}, {0.5f, bad})
          .Add(kLayer + ".lora_up.weight", {8, 1}, 2);

      ExpectRefused(file, "NaN or infinity: lora_unet_conv_in.lora_down");
    }
  }
}

TEST_F(InspectTest, AlphaThatScalesNothingIsRefused) {
  for (const auto& [alpha, why] : std::vector<std::pair<float, std::string>>{
           {0.0f, "alpha is 0"}, {NAN, "NaN"}, {INFINITY, "infinity"}}) {
    AdapterBuilder file;
    file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
        .Add(kLayer + ".lora_up.weight", {8, 2}, 2)
        .AddAlpha(kLayer + ".alpha", alpha);

    ExpectRefused(file, why);
  }
}

TEST_F(InspectTest, TwoKeysForOneTensorAreRefused) {
  AdapterBuilder file;
  file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
      .Add("unet.conv_in.lora_A.weight", {2, 4}, 1)
      .Add(kLayer + ".lora_up.weight", {8, 2}, 2);

  ExpectRefused(file, "two keys name the same tensor");
}

TEST_F(InspectTest, PartsOfTwoKindsAreRefused) {
  AdapterBuilder file;
  file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
      .Add(kLayer + ".lora_up.weight", {8, 2}, 2)
      .Add(kLayer + ".hada_w1_a", {8, 2}, 3);

  ExpectRefused(file, "parts of two kinds of adapter: lora_unet_conv_in.hada");
}

TEST_F(InspectTest, OddShapesAreRefused) {
  for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{
           {}, {8}, {2, 2, 2}, {1, 1, 1, 2, 2}, {0, 4}}) {
    AdapterBuilder file;
    file.Add(kLayer + ".lora_down.weight", shape, 1)
        .Add(kLayer + ".lora_up.weight", {8, 2}, 2);

    ExpectRefused(file, "conv_in");
  }
}

TEST_F(InspectTest, TensorsOfIntegersAreRefused) {
  AdapterBuilder file;
  file.Add(kLayer + ".lora_down.weight", {2, 4}, 1)
      .Add(kLayer + ".lora_up.weight", {8, 2}, 2)
      .AddAlpha(kLayer + ".alpha", 1);
  std::string bytes = file.Bytes();
  bytes.replace(bytes.rfind("F32"), 3, "U32");

  ExpectRefused(bytes,
                "tensor is U32, not F32, F16 or BF16: lora_unet_conv_in");
}

// Returns a file with so many keys, each of an empty tensor.
std::string FileOfKeys(int count) {
  AdapterBuilder file;
  for (int i = 0; i < count; ++i) {
    file.Add(absl::StrCat("lora_unet_", i, ".diff"), {0}, 0);
  }
  return file.Bytes();
}

TEST_F(InspectTest, TooManyKeysAreRefusedBeforeTheyAreParsed) {
  ExpectRefused(FileOfKeys(65'537),
                "too many keys for a LoRA: more than 65536");
  ExpectRefused(FileOfKeys(1'000'000), "header too large for a LoRA");
}

}  // namespace
}  // namespace tessera::lora

#include "worker/model/merged_layers.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/arena.h"
#include "kernels/stream.h"
#include "tests/unit/worker/changes.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/low_rank_change.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::PackedWeights;
using kernels::Shape;
using kernels::Tensor;
using ::testing::HasSubstr;

// Returns a tensor of small values that differ.
Tensor Ramp(const Shape& shape, float first) {
  Tensor tensor(shape, DType::kF32);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    tensor.f32()[i] = first + 0.25f * static_cast<float>(i % 23);
  }
  return tensor;
}

// A net of a fused pair of linear layers, a convolution and a norm.
class MergedLayersTest : public ::testing::Test {
 protected:
  MergedLayersTest() : device_(kernels::CreateCpuDevice(1).value()) {
    pair_ = AddMatrix({20, 6, 1, 1}, 1.0f, /*bias=*/true);
    table_.Add({.name = "to_q", .outputs = 10, .inputs = 6, .slot = pair_});
    table_.Add({.name = "to_k",
                .outputs = 10,
                .inputs = 6,
                .slot = pair_,
                .first_output = 10});
    conv_ = AddMatrix({5, 4, 3, 3}, 2.0f, /*bias=*/false);
    table_.Add({.name = "conv",
                .outputs = 5,
                .inputs = 4,
                .kernel = 3,
                .slot = conv_});
    norm_ = table_.AddWeights(
        {.gain = std::make_shared<const Tensor>(Ramp({7}, 1.0f)),
         .bias = std::make_shared<const Tensor>(Ramp({7}, 0.0f))});
    table_.Add({.name = "norm", .outputs = 7, .slot = norm_});
  }

  int AddMatrix(const Shape& shape, float first, bool bias) {
    const Tensor values = Ramp(shape, first);
    LayerWeights weights{
        .matrix = std::make_shared<const PackedWeights>(
            kernels::PackConvWeights(*device_, values.view()).value())};
    if (bias) {
      weights.bias = std::make_shared<const Tensor>(Ramp({shape[0]}, -1.0f));
    }
    return table_.AddWeights(std::move(weights));
  }

  AdapterLayer LowRank(const std::string& name, const Shape& down,
                       int64_t outputs) const {
    AdapterLayer layer{.name = name};
    layer.down =
        kernels::PackConvWeights(*device_, Ramp(down, 0.5f).view()).value();
    layer.up = kernels::PackGemmWeights(*device_,
                                        Ramp({outputs, down[0]}, -0.5f).view())
                   .value();
    layer.scale = 0.5f;
    return layer;
  }

  MergedLayers Merge(const std::vector<AdapterUse>& uses) const {
    return MergedLayers::Merge(AdapterNet::kUNet, table_, uses, *device_)
        .value();
  }

  // The values of a slot's own matrix, in the checkpoint's order.
  Tensor Own(int slot) const {
    return kernels::UnpackWeights(
               *table_.weights()[static_cast<size_t>(slot)].matrix)
        .value();
  }

  std::unique_ptr<kernels::Device> device_;
  LayerTable table_;
  int pair_ = 0;
  int conv_ = 0;
  int norm_ = 0;
};

TEST_F(MergedLayersTest, UnpackingGivesBackWhatWasPacked) {
  for (const Shape& shape : {Shape{5, 4, 3, 3}, Shape{33, 7, 1, 1}}) {
    const Tensor values = Ramp(shape, 3.0f);

    const auto packed = kernels::PackConvWeights(*device_, values.view());
    const Tensor unpacked = kernels::UnpackWeights(*packed).value();

    ASSERT_EQ(unpacked.shape(), shape);
    for (int64_t i = 0; i < shape.elements(); ++i) {
      ASSERT_EQ(unpacked.f32()[i], values.f32()[i]) << i;
    }
  }
}

TEST_F(MergedLayersTest, WhatNoAdapterNamesStaysTheModels) {
  const MergedLayers merged =
      Merge({{Changes("a", {{"norm", LayerTensor::kWeight, 7, 1.0}}), 1.0f}});

  EXPECT_EQ(merged.Find(pair_), nullptr);
  EXPECT_EQ(merged.Find(conv_), nullptr);
  ASSERT_NE(merged.Find(norm_), nullptr);
  EXPECT_FALSE(merged.Find(norm_)->bias.has_value());
  EXPECT_EQ(merged.bytes(), 7 * 4);
}

TEST_F(MergedLayersTest, LowRankLayersAreMultipliedOut) {
  auto weights = std::make_shared<AdapterWeights>();
  weights->digest = "a";
  weights->layers.push_back(LowRank("conv", {2, 4, 3, 3}, 5));

  const MergedLayers merged = Merge({{weights, 2.0f}});

  const Tensor got =
      kernels::UnpackWeights(*merged.Find(conv_)->matrix).value();
  const Tensor own = Own(conv_), down = Ramp({2, 4, 3, 3}, 0.5f);
  const Tensor up = Ramp({5, 2}, -0.5f);
  for (int64_t o = 0; o < 5; ++o) {
    for (int64_t i = 0; i < 36; ++i) {
      double sum = 0;
      for (int64_t r = 0; r < 2; ++r) {
        sum += static_cast<double>(up.f32()[o * 2 + r]) *
               static_cast<double>(down.f32()[r * 36 + i]);
      }
      const double expected =
          static_cast<double>(own.f32()[o * 36 + i]) + 2.0 * 0.5 * sum;
      ASSERT_EQ(got.f32()[o * 36 + i], static_cast<float>(expected));
    }
  }
}

TEST_F(MergedLayersTest, OneOfTwoFusedLayersChangesItsOwnOutputsOnly) {
  const MergedLayers merged =
      Merge({{Changes("a", {{"to_k", LayerTensor::kWeight, 60, 0.5},
                            {"to_k", LayerTensor::kBias, 10, 3.0}}),
              1.0f}});

  const MergedLayer& pair = *merged.Find(pair_);
  const Tensor got = kernels::UnpackWeights(*pair.matrix).value(),
               own = Own(pair_);
  const Tensor own_bias = Ramp({20}, -1.0f);
  for (int64_t o = 0; o < 20; ++o) {
    const float more = o < 10 ? 0.0f : 0.5f;
    for (int64_t i = 0; i < 6; ++i) {
      EXPECT_EQ(got.f32()[o * 6 + i], own.f32()[o * 6 + i] + more);
    }
    EXPECT_EQ(pair.bias->f32()[o], own_bias.f32()[o] + 6 * more);
  }
}

TEST_F(MergedLayersTest, StrengthMultipliesAChange) {
  const MergedLayers merged =
      Merge({{Changes("a", {{"norm", LayerTensor::kBias, 7, 2.0}}), -0.5f}});

  EXPECT_EQ(merged.Find(norm_)->bias->f32()[0], 0.0f - 1.0f);
}

TEST_F(MergedLayersTest, EveryAdapterSeesThePristineWeights) {
  const auto a = Changes("a", {{"norm", LayerTensor::kWeight, 7, 4.0}});
  const auto twice = std::make_shared<AdapterWeights>();
  twice->digest = "b";
  twice->changes.push_back(
      {.name = "norm", .change = std::make_shared<DoubledWeights>(7)});

  const MergedLayers merged = Merge({{a, 1.0f}, {twice, 1.0f}});

  // 1 + 4 + 1, not (1 + 4) · 2.
  EXPECT_EQ(merged.Find(norm_)->gain->f32()[0], 6.0f);
}

TEST_F(MergedLayersTest, LayersRunByTheMergedWeights) {
  const MergedLayers merged =
      Merge({{Changes("a", {{"norm", LayerTensor::kWeight, 7, 1.0}}), 1.0f}});
  kernels::Stream stream(*device_);
  kernels::Arena arena;
  const LayerWeights& own = table_.weights()[static_cast<size_t>(norm_)];

  const WeightsInPass plain({stream, arena}, norm_, own);
  const WeightsInPass changed({stream, arena, nullptr, &merged}, norm_, own);
  const WeightsInPass other({stream, arena, nullptr, &merged}, pair_,
                            table_.weights()[static_cast<size_t>(pair_)]);

  EXPECT_EQ(&plain.gain(), own.gain.get());
  EXPECT_EQ(changed.gain().f32()[0], 2.0f);
  EXPECT_EQ(changed.bias(), own.bias.get());
  EXPECT_EQ(&other.matrix(),
            table_.weights()[static_cast<size_t>(pair_)].matrix.get());
}

TEST_F(MergedLayersTest, AChangeMustFitTheModelsLayer) {
  const auto check = [&](const Change& change) {
    return CheckAdapter(*Changes("a", {change}), AdapterNet::kUNet, table_);
  };

  EXPECT_TRUE(check({"to_q", LayerTensor::kWeight, 60, 1}).ok());
  EXPECT_TRUE(check({"to_q", LayerTensor::kBias, 10, 1}).ok());
  EXPECT_TRUE(check({"conv", LayerTensor::kWeight, 180, 1}).ok());
  EXPECT_TRUE(check({"norm", LayerTensor::kWeight, 7, 1}).ok());
  EXPECT_THAT(check({"to_q", LayerTensor::kWeight, 61, 1}).message(),
              HasSubstr("does not fit the model's layer: to_q"));
  EXPECT_THAT(check({"conv", LayerTensor::kBias, 5, 1}).message(),
              HasSubstr("has no bias"));
  EXPECT_THAT(check({"to_v", LayerTensor::kWeight, 60, 1}).message(),
              HasSubstr("no such layer"));
}

}  // namespace
}  // namespace tessera::model

#include "worker/lora/dora.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/adapter_builder.h"
#include "tests/unit/worker/lora/matrix.h"
#include "worker/lora/layer_adapter.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

const std::string kKey = "lora_unet_conv_in";
constexpr int64_t kOut = 3, kIn = 4;

// Returns a layer of rank 2 with magnitudes `values` of a shape.
AdapterBuilder Layer(const std::string& part, std::vector<int64_t> shape,
                     int64_t kernel) {
  AdapterBuilder file;
  std::vector<int64_t> down = {2, kIn}, up = {kOut, 2};
  if (kernel > 1) {
    down.insert(down.end(), {kernel, kernel});
    up.insert(up.end(), {1, 1});
  }
  file.Add(kKey + ".lora_down.weight", down, 1)
      .Add(kKey + ".lora_up.weight", up, 2)
      .Add(kKey + "." + part, std::move(shape), 3);
  return file;
}

// Makes the layer's change of W = Numbers(7) at a strength.
Matrix ChangeOf(const AdapterBuilder& file, int64_t window, double strength) {
  const OneLayer layer(file);
  LayerAdapter adapter = ReadLayerAdapter(layer.parts()).value();
  const auto change =
      MakeDora(std::make_unique<const LowRank>(*adapter.low_rank),
               *std::move(adapter.magnitude), window);
  const std::vector<float> pristine = Numbers(kOut * kIn * window, 7);
  Matrix sum(kOut, kIn * window);
  EXPECT_EQ(change->elements(), kOut * kIn * window);
  change->AddTo(pristine, strength, sum.values);
  return sum;
}

// Returns W + strength · up · down for a kernel of `window` elements.
Matrix Moved(int64_t window, double strength) {
  Matrix moved = Matrix::Of(kOut, kIn * window, 7);
  const Matrix product =
      Times(Matrix::Of(kOut, 2, 2), Matrix::Of(2, kIn * window, 1));
  for (size_t i = 0; i < moved.values.size(); ++i) {
    moved.values[i] += strength * product.values[i];
  }
  return moved;
}

TEST(DoraTest, MagnitudesOfOutputsScaleTheRows) {
  for (const auto& [part, shape] :
       std::vector<std::pair<std::string, std::vector<int64_t>>>{
           {"dora_scale", {kOut, 1}}, {"dora_scale", {kOut}}}) {
    for (const double strength : {1.0, 0.5, -1.0}) {
      const Matrix change = ChangeOf(Layer(part, shape, 1), 1, strength);

      const Matrix moved = Moved(1, strength);
      const Matrix pristine = Matrix::Of(kOut, kIn, 7);
      const Matrix magnitude = Matrix::Of(kOut, 1, 3);
      for (int64_t o = 0; o < kOut; ++o) {
        double square = 0;
        for (int64_t i = 0; i < kIn; ++i) square += std::pow(moved.At(o, i), 2);
        for (int64_t i = 0; i < kIn; ++i) {
          EXPECT_NEAR(change.At(o, i) + pristine.At(o, i),
                      magnitude.At(o, 0) * moved.At(o, i) / std::sqrt(square),
                      1e-12);
        }
      }
    }
  }
}

TEST(DoraTest, MagnitudesOfInputsScaleTheColumnsOfAllTaps) {
  const Matrix change =
      ChangeOf(Layer("dora_scale", {1, kIn, 1, 1}, 3), 9, 0.5);

  const Matrix moved = Moved(9, 0.5);
  const Matrix pristine = Matrix::Of(kOut, kIn * 9, 7);
  const Matrix magnitude = Matrix::Of(kIn, 1, 3);
  for (int64_t i = 0; i < kIn; ++i) {
    double square = 0;
    for (int64_t o = 0; o < kOut; ++o) {
      for (int64_t t = 0; t < 9; ++t) {
        square += std::pow(moved.At(o, i * 9 + t), 2);
      }
    }
    for (int64_t o = 0; o < kOut; ++o) {
      for (int64_t t = 0; t < 9; ++t) {
        const int64_t c = i * 9 + t;
        EXPECT_NEAR(change.At(o, c) + pristine.At(o, c),
                    magnitude.At(i, 0) * moved.At(o, c) / std::sqrt(square),
                    1e-12);
      }
    }
  }
}

TEST(DoraTest, PeftsMagnitudesAreOfOutputsInAnyShape) {
  // PEFT keeps those of a convolution as [1, outputs, 1, 1].
  AdapterBuilder file;
  file.Add("unet.conv_in.lora_A.weight", {2, kIn, 3, 3}, 1)
      .Add("unet.conv_in.lora_B.weight", {kOut, 2, 1, 1}, 2)
      .Add("unet.conv_in.lora_magnitude_vector", {1, kOut, 1, 1}, 3);

  const Matrix peft = ChangeOf(file, 9, 1);

  const Matrix other = ChangeOf(Layer("dora_scale", {kOut, 1, 1, 1}, 3), 9, 1);
  EXPECT_EQ(peft.values, other.values);
}

TEST(DoraTest, StrengthZeroChangesNothing) {
  const Matrix change = ChangeOf(Layer("dora_scale", {kOut, 1}, 1), 1, 0);

  for (const double value : change.values) EXPECT_EQ(value, 0);
}

TEST(DoraTest, OutputOfZerosStaysZero) {
  AdapterBuilder file;
  file.Add(kKey + ".lora_down.weight", {1, 2}, {1, 1})
      .Add(kKey + ".lora_up.weight", {2, 1}, {-1, 1})
      .Add(kKey + ".dora_scale", {2, 1}, {3, 3});
  const OneLayer layer(file);
  LayerAdapter adapter = ReadLayerAdapter(layer.parts()).value();
  const auto change =
      MakeDora(std::make_unique<const LowRank>(*adapter.low_rank),
               *std::move(adapter.magnitude), 1);

  // The difference takes the first output to zero.
  const std::vector<float> pristine = {1, 1, 1, 1};
  std::vector<double> sum(4);
  change->AddTo(pristine, 1, sum);

  EXPECT_EQ(sum[0], -1);
  EXPECT_EQ(sum[1], -1);
  EXPECT_NEAR(sum[2], 3 / std::sqrt(2.0) - 1, 1e-12);
}

TEST(DoraTest, BadMagnitudesAreRefused) {
  const auto refused = [](const AdapterBuilder& file, const std::string& what) {
    const OneLayer layer(file);
    EXPECT_THAT(ReadLayerAdapter(layer.parts()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  AdapterBuilder both = Layer("dora_scale", {kOut, 1}, 1);
  both.Add("unet.conv_in.lora_magnitude_vector", {kOut}, 3);
  AdapterBuilder alone;
  alone.Add(kKey + ".dora_scale", {kOut, 1}, 3);

  refused(Layer("dora_scale", {kOut, 2}, 1), "magnitudes of DoRA in shape");
  refused(both, "both magnitudes of DoRA");
  refused(alone, "without the matrices of any kind");
}

}  // namespace
}  // namespace tessera::lora

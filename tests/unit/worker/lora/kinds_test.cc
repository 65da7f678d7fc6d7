// Every kind of adapter against its formula, in double.
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/adapter_builder.h"
#include "tests/unit/worker/lora/matrix.h"
#include "worker/lora/full_difference.h"
#include "worker/lora/layer_adapter.h"
#include "worker/lora/loha.h"
#include "worker/lora/lokr.h"
#include "worker/lora/low_rank.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

const std::string kKey = "lora_unet_conv_in";

// Compares what a difference adds at a strength with `factor` · `expected`.
void ExpectDifference(const Difference& difference, double strength,
                      double factor, const Matrix& expected) {
  const MatrixShape shape = difference.shape();
  ASSERT_EQ(shape.rows, expected.rows);
  ASSERT_EQ(shape.columns, expected.columns);
  const Matrix found = Evaluate(difference, strength);
  for (size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_NEAR(found.values[i], factor * expected.values[i], kFoldTolerance)
        << i;
  }
}

void ExpectRefused(const AdapterBuilder& file, const std::string& what) {
  const OneLayer layer(file);
  EXPECT_THAT(ReadLayerAdapter(layer.parts()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
}

TEST(LowRankTest, LinearIsUpTimesDownScaledByAlphaOverRank) {
  AdapterBuilder file;
  file.Add(kKey + ".lora_down.weight", {2, 5}, 1)
      .Add(kKey + ".lora_up.weight", {3, 2}, 2)
      .AddAlpha(kKey + ".alpha", 1);
  const OneLayer layer(file);

  const auto adapter = ReadLowRank(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(adapter->scale, 0.5);
  EXPECT_EQ(adapter->shape().kernel, (Kernel{1, 1}));
  ExpectDifference(LowRank(*adapter), -2, -2 * 0.5,
                   Times(Matrix::Of(3, 2, 2), Matrix::Of(2, 5, 1)));
}

TEST(LowRankTest, MissingAlphaIsTheRank) {
  AdapterBuilder file;
  file.Add(kKey + ".lora_down.weight", {4, 5}, 1)
      .Add(kKey + ".lora_up.weight", {3, 4}, 2);

  EXPECT_EQ(ReadLowRank(OneLayer(file).parts()).value().scale, 1);
}

TEST(LowRankTest, ConvolutionKeepsItsKernel) {
  AdapterBuilder file;
  file.Add(kKey + ".lora_down.weight", {2, 5, 3, 3}, 1)
      .Add(kKey + ".lora_up.weight", {3, 2, 1, 1}, 2);
  const OneLayer layer(file);

  const auto adapter = ReadLowRank(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(adapter->shape().kernel, (Kernel{3, 3}));
  ExpectDifference(LowRank(*adapter), 1, 1,
                   Times(Matrix::Of(3, 2, 2), Matrix::Of(2, 45, 1)));
}

TEST(LowRankTest, CoreIsFoldedIntoDown) {
  AdapterBuilder file;
  file.Add(kKey + ".lora_down.weight", {2, 5, 1, 1}, 1)
      .Add(kKey + ".lora_mid.weight", {2, 2, 3, 3}, 3)
      .Add(kKey + ".lora_up.weight", {3, 2, 1, 1}, 2)
      .AddAlpha(kKey + ".alpha", 4);
  const OneLayer layer(file);

  const auto adapter = ReadLowRank(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_TRUE(!adapter->folded.empty());
  EXPECT_EQ(adapter->down.shape, (kernels::Shape{2, 5, 3, 3}));
  Matrix up(2, 3);  // as [rank, outputs]
  const Matrix written = Matrix::Of(3, 2, 2);
  for (int64_t o = 0; o < 3; ++o) {
    for (int64_t r = 0; r < 2; ++r) up.At(r, o) = written.At(o, r);
  }
  ExpectDifference(LowRank(*adapter), 1, 2,
                   Tucker(Matrix::Of(2, 18, 3), 9, up, Matrix::Of(2, 5, 1)));
}

TEST(LowRankTest, ShapesThatAreNoFactorsAreRefused) {
  AdapterBuilder wide_up, core, core_down;
  wide_up.Add(kKey + ".lora_down.weight", {2, 5, 3, 3}, 1)
      .Add(kKey + ".lora_up.weight", {3, 2, 3, 3}, 2);
  core.Add(kKey + ".lora_down.weight", {2, 5, 1, 1}, 1)
      .Add(kKey + ".lora_mid.weight", {2, 3, 3, 3}, 3)
      .Add(kKey + ".lora_up.weight", {3, 2, 1, 1}, 2);
  core_down.Add(kKey + ".lora_down.weight", {2, 5, 3, 3}, 1)
      .Add(kKey + ".lora_mid.weight", {2, 2, 3, 3}, 3)
      .Add(kKey + ".lora_up.weight", {3, 2, 1, 1}, 2);

  ExpectRefused(wide_up, "lora_up is not 1x1");
  ExpectRefused(core, "ranks disagree: 3 and 2");
  ExpectRefused(core_down, "lora_down is not 1x1");
}

TEST(LohaTest, IsTheElementwiseProductOfTwoProducts) {
  AdapterBuilder file;
  file.Add(kKey + ".hada_w1_a", {3, 2}, 1)
      .Add(kKey + ".hada_w1_b", {2, 5}, 2)
      .Add(kKey + ".hada_w2_a", {3, 2}, 3)
      .Add(kKey + ".hada_w2_b", {2, 5}, 4)
      .AddAlpha(kKey + ".alpha", 1);
  const OneLayer layer(file);

  const auto difference = ReadLoha(layer.parts());

  ASSERT_TRUE(difference.ok()) << difference.status();
  Matrix expected = Times(Matrix::Of(3, 2, 1), Matrix::Of(2, 5, 2));
  const Matrix other = Times(Matrix::Of(3, 2, 3), Matrix::Of(2, 5, 4));
  for (size_t i = 0; i < expected.values.size(); ++i) {
    expected.values[i] *= other.values[i];
  }
  ExpectDifference(**difference, 3, 3 * 0.5, expected);
}

TEST(LohaTest, CoresMakeTuckerProducts) {
  AdapterBuilder file;
  file.Add(kKey + ".hada_t1", {2, 2, 3, 3}, 1)
      .Add(kKey + ".hada_w1_a", {2, 3}, 2)
      .Add(kKey + ".hada_w1_b", {2, 5}, 3)
      .Add(kKey + ".hada_t2", {2, 2, 3, 3}, 4)
      .Add(kKey + ".hada_w2_a", {2, 3}, 5)
      .Add(kKey + ".hada_w2_b", {2, 5}, 6);
  const OneLayer layer(file);

  const auto difference = ReadLoha(layer.parts());

  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_EQ((*difference)->shape().kernel, (Kernel{3, 3}));
  Matrix expected =
      Tucker(Matrix::Of(2, 18, 1), 9, Matrix::Of(2, 3, 2), Matrix::Of(2, 5, 3));
  const Matrix other =
      Tucker(Matrix::Of(2, 18, 4), 9, Matrix::Of(2, 3, 5), Matrix::Of(2, 5, 6));
  for (size_t i = 0; i < expected.values.size(); ++i) {
    expected.values[i] *= other.values[i];
  }
  ExpectDifference(**difference, 1, 1, expected);
}

TEST(LohaTest, IncompleteOrUnequalHalvesAreRefused) {
  AdapterBuilder missing, one_core, unequal, ranks, kernels;
  missing.Add(kKey + ".hada_w1_a", {3, 2}, 1)
      .Add(kKey + ".hada_w1_b", {2, 5}, 2)
      .Add(kKey + ".hada_w2_a", {3, 2}, 3);
  one_core.Add(kKey + ".hada_t1", {2, 2, 3, 3}, 1)
      .Add(kKey + ".hada_w1_a", {2, 3}, 2);
  unequal.Add(kKey + ".hada_w1_a", {3, 2}, 1)
      .Add(kKey + ".hada_w1_b", {2, 5}, 2)
      .Add(kKey + ".hada_w2_a", {3, 2}, 3)
      .Add(kKey + ".hada_w2_b", {2, 6}, 4);
  ranks.Add(kKey + ".hada_w1_a", {3, 2}, 1)
      .Add(kKey + ".hada_w1_b", {2, 5}, 2)
      .Add(kKey + ".hada_w2_a", {3, 4}, 3)
      .Add(kKey + ".hada_w2_b", {4, 5}, 4);
  kernels.Add(kKey + ".hada_t1", {2, 2, 3, 3}, 1)
      .Add(kKey + ".hada_w1_a", {2, 3}, 2)
      .Add(kKey + ".hada_w1_b", {2, 5}, 3)
      .Add(kKey + ".hada_t2", {2, 2, 1, 9}, 4)
      .Add(kKey + ".hada_w2_a", {2, 3}, 5)
      .Add(kKey + ".hada_w2_b", {2, 5}, 6);

  ExpectRefused(missing, "layer without its hada_w2_b");
  ExpectRefused(one_core, "one of hada_t1 and hada_t2 only");
  ExpectRefused(unequal, "differ in shape");
  ExpectRefused(ranks, "ranks disagree: 2 and 4");
  ExpectRefused(kernels, "differ in shape");
}

TEST(LohaTest, SmallFileThatMakesALargeTensorIsRefused) {
  AdapterBuilder file;
  file.Add(kKey + ".hada_t1", {9000, 1, 1, 1}, 1)
      .Add(kKey + ".hada_w1_a", {9000, 1}, 2)
      .Add(kKey + ".hada_w1_b", {1, 9000}, 3)
      .Add(kKey + ".hada_t2", {9000, 1, 1, 1}, 4)
      .Add(kKey + ".hada_w2_a", {9000, 1}, 5)
      .Add(kKey + ".hada_w2_b", {1, 9000}, 6);

  ExpectRefused(file, "core and factor make too large a tensor");
}

// Returns the Kronecker product.
Matrix Kronecker(const Matrix& a, const Matrix& b) {
  Matrix product(a.rows * b.rows, a.columns * b.columns);
  for (int64_t i = 0; i < product.rows; ++i) {
    for (int64_t j = 0; j < product.columns; ++j) {
      product.At(i, j) =
          a.At(i / b.rows, j / b.columns) * b.At(i % b.rows, j % b.columns);
    }
  }
  return product;
}

TEST(LokrTest, WholeMatricesIgnoreAlpha) {
  AdapterBuilder file;
  file.Add(kKey + ".lokr_w1", {2, 3}, 1)
      .Add(kKey + ".lokr_w2", {4, 5}, 2)
      .AddAlpha(kKey + ".alpha", 7);
  const OneLayer layer(file);

  const auto difference = ReadLokr(layer.parts());

  ASSERT_TRUE(difference.ok()) << difference.status();
  ExpectDifference(**difference, 0.5, 0.5,
                   Kronecker(Matrix::Of(2, 3, 1), Matrix::Of(4, 5, 2)));
}

TEST(LokrTest, FactoredMatricesAreScaledByAlphaOverRank) {
  AdapterBuilder file;
  file.Add(kKey + ".lokr_w1_a", {2, 4}, 1)
      .Add(kKey + ".lokr_w1_b", {4, 3}, 2)
      .Add(kKey + ".lokr_w2_a", {4, 4}, 3)
      .Add(kKey + ".lokr_w2_b", {4, 5}, 4)
      .AddAlpha(kKey + ".alpha", 1);
  const OneLayer layer(file);

  const auto difference = ReadLokr(layer.parts());

  ASSERT_TRUE(difference.ok()) << difference.status();
  ExpectDifference(**difference, 1, 0.25,
                   Kronecker(Times(Matrix::Of(2, 4, 1), Matrix::Of(4, 3, 2)),
                             Times(Matrix::Of(4, 4, 3), Matrix::Of(4, 5, 4))));
}

TEST(LokrTest, KernelStaysWithTheInputsOfTheSecondMatrix) {
  AdapterBuilder file;
  file.Add(kKey + ".lokr_w1", {2, 3}, 1)
      .Add(kKey + ".lokr_w2", {4, 5, 3, 3}, 2);
  const OneLayer layer(file);

  const auto difference = ReadLokr(layer.parts());

  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_EQ((*difference)->shape().kernel, (Kernel{3, 3}));
  // Weight [o, i, ky, kx]: o = 4a + c, i = 5b + d.
  const Matrix found = Evaluate(**difference, 1);
  const Matrix first = Matrix::Of(2, 3, 1), second = Matrix::Of(4, 45, 2);
  const auto expected = [&](int64_t o, int64_t i, int64_t tap) {
    return first.At(o / 4, i / 5) * second.At(o % 4, i % 5 * 9 + tap);
  };
  for (int64_t o = 0; o < 8; ++o) {
    for (int64_t i = 0; i < 15; ++i) {
      for (int64_t tap = 0; tap < 9; ++tap) {
        EXPECT_DOUBLE_EQ(found.At(o, i * 9 + tap), expected(o, i, tap));
      }
    }
  }
}

TEST(LokrTest, CoreMakesTheSecondMatrix) {
  AdapterBuilder file;
  file.Add(kKey + ".lokr_w1", {2, 3}, 1)
      .Add(kKey + ".lokr_t2", {2, 2, 3, 3}, 2)
      .Add(kKey + ".lokr_w2_a", {2, 4}, 3)
      .Add(kKey + ".lokr_w2_b", {2, 5}, 4)
      .AddAlpha(kKey + ".alpha", 1);
  const OneLayer layer(file);

  const auto difference = ReadLokr(layer.parts());

  ASSERT_TRUE(difference.ok()) << difference.status();
  ExpectDifference(**difference, 1, 0.5,
                   Kronecker(Matrix::Of(2, 3, 1),
                             Tucker(Matrix::Of(2, 18, 2), 9,
                                    Matrix::Of(2, 4, 3), Matrix::Of(2, 5, 4))));
}

TEST(LokrTest, IncompleteOrAmbiguousMatricesAreRefused) {
  AdapterBuilder missing, both, ranks;
  missing.Add(kKey + ".lokr_w1", {2, 3}, 1).Add(kKey + ".lokr_w2_a", {4, 2}, 2);
  both.Add(kKey + ".lokr_w1", {2, 3}, 1)
      .Add(kKey + ".lokr_w1_a", {2, 2}, 1)
      .Add(kKey + ".lokr_w2", {4, 5}, 2);
  ranks.Add(kKey + ".lokr_w1", {2, 3}, 1)
      .Add(kKey + ".lokr_w2_a", {4, 2}, 2)
      .Add(kKey + ".lokr_w2_b", {3, 5}, 3);

  ExpectRefused(missing, "layer without its lokr_w2_b");
  ExpectRefused(both, "lokr_w1 is given whole and in factors");
  ExpectRefused(ranks, "ranks disagree: 2 and 3");
}

TEST(FullDifferenceTest, IsTheTensorItselfWhateverAlpha) {
  AdapterBuilder file;
  file.Add(kKey + ".diff", {3, 5, 3, 3}, 1)
      .Add(kKey + ".diff_b", {3}, 2)
      .AddAlpha(kKey + ".alpha", 4);
  const OneLayer layer(file);

  const auto adapter = ReadLayerAdapter(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(adapter->kind, AdapterKind::kFull);
  ExpectDifference(*adapter->other, 0.5, 0.5, Matrix::Of(3, 45, 1));
  ExpectDifference(*adapter->bias, -1, -1, Matrix::Of(3, 1, 2));
}

TEST(FullDifferenceTest, BiasMayChangeAlone) {
  AdapterBuilder file;
  file.Add(kKey + ".diff_b", {3}, 2);
  const OneLayer layer(file);

  const auto adapter = ReadLayerAdapter(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_FALSE(adapter->changes_weight());
  EXPECT_NE(adapter->bias, nullptr);
}

TEST(NormTest, ChangesGainAndBias) {
  AdapterBuilder file;
  file.Add(kKey + ".w_norm", {3}, 1).Add(kKey + ".b_norm", {3}, 2);
  const OneLayer layer(file);

  const auto adapter = ReadLayerAdapter(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(adapter->kind, AdapterKind::kNorm);
  ExpectDifference(*adapter->other, 2, 2, Matrix::Of(3, 1, 1));
  ExpectDifference(*adapter->bias, 2, 2, Matrix::Of(3, 1, 2));
}

TEST(LayerAdapterTest, LowRankMayComeWithABias) {
  AdapterBuilder file;
  file.Add(kKey + ".lora_down.weight", {2, 5}, 1)
      .Add(kKey + ".lora_up.weight", {3, 2}, 2)
      .Add(kKey + ".diff_b", {3}, 3);
  const OneLayer layer(file);

  const auto adapter = ReadLayerAdapter(layer.parts());

  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(adapter->kind, AdapterKind::kLowRank);
  EXPECT_TRUE(adapter->low_rank.has_value());
  EXPECT_NE(adapter->bias, nullptr);
}

}  // namespace
}  // namespace tessera::lora

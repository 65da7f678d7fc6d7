// The kernel's own source runs here on an emulated grid over host memory.
#include "kernels/cuda/attention/row_attention.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/kernels/cuda/attention/attention_problem.h"
#include "tests/kernels/cuda/attention/half_bits.h"

namespace tessera::kernels::cuda {
namespace {

// Only the output is rounded: half an ulp, and some of f32.
double Tolerance(DType dtype) {
  return (dtype == DType::kF16 ? 0x1p-11 : 0x1p-8) * 1.01 + 1e-5;
}

// Runs a problem and compares it with the reference.
void ExpectNearReference(AttentionProblem problem) {
  ASSERT_EQ(LaunchRowAttention(problem.params(), nullptr), cudaSuccess);
  EXPECT_LE(problem.Error(), Tolerance(problem.dtype()));
  EXPECT_TRUE(problem.out().GuardsAreWhole());
}

TEST(RowAttentionTest, MatchesDoublePrecisionForAnyHead) {
  for (const int64_t head_dim : {1, 5, 36, 64, 127, 129, 640, 1024}) {
    ExpectNearReference(AttentionProblem(
        {.n = 2, .queries = 5, .keys = 19, .heads = 2, .head_dim = head_dim},
        head_dim % 2 == 0 ? DType::kF16 : DType::kBF16, 1));
  }
}

TEST(RowAttentionTest, ReadsItsOwnColumnsOnly) {
  ExpectNearReference(AttentionProblem({.n = 2,
                                        .queries = 3,
                                        .keys = 7,
                                        .heads = 3,
                                        .head_dim = 20,
                                        .before = 3,
                                        .after = 5},
                                       DType::kF16, 2));
}

TEST(RowAttentionTest, CausalRowsSeeNoLaterKey) {
  ExpectNearReference(AttentionProblem(
      {.queries = 21, .keys = 21, .head_dim = 12, .causal = true}, DType::kF16,
      3));
}

TEST(RowAttentionTest, NegativeScalePrefersSmallScores) {
  ExpectNearReference(AttentionProblem(
      {.queries = 6, .keys = 33, .head_dim = 24, .scale = -2}, DType::kF16, 4));
}

TEST(RowAttentionTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  AttentionProblem batch(
      {.n = 3, .queries = 6, .keys = 9, .heads = 2, .head_dim = 12},
      DType::kF16, 5);
  AttentionProblem alone = batch.Picture(1);

  ASSERT_EQ(LaunchRowAttention(batch.params(), nullptr), cudaSuccess);
  ASSERT_EQ(LaunchRowAttention(alone.params(), nullptr), cudaSuccess);

  EXPECT_TRUE(std::equal(alone.out().data(),
                         alone.out().data() + alone.out().size(),
                         batch.out().data() + alone.out().size()));
}

TEST(RowAttentionTest, OtherTypesAreRefused) {
  AttentionProblem problem({}, DType::kF16, 6);
  AttentionParams params = problem.params();
  params.dtype = DType::kF32;

  EXPECT_EQ(LaunchRowAttention(params, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace tessera::kernels::cuda

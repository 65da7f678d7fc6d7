#include "kernels/cuda/attention/mma_tile.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/cuda/attention/mma_shapes.h"
#include "tests/kernels/cuda/attention/attention_problem.h"
#include "tests/kernels/cuda/attention/emulated_attention.h"
#include "tests/kernels/cuda/attention/half_bits.h"

namespace tessera::kernels::cuda {
namespace {

using testing::IsEmpty;

// Shared memory of an A100's and of a Hopper's thread block.
constexpr int64_t kSharedLimit = 163 * 1024;

// Expects no race and no bank conflict. Outputs leave in order of rows, which
// costs some passes more, once a tile.
void ExpectCleanMachine(const EmulationReport& report) {
  EXPECT_THAT(report.violations, IsEmpty());
  EXPECT_EQ(report.conflicts.worst(SharedAccess::kCopy), 1);
  EXPECT_EQ(report.conflicts.worst(SharedAccess::kMatrix), 1);
  EXPECT_EQ(report.conflicts.worst(SharedAccess::kStore), 1);
  EXPECT_LE(report.conflicts.worst(SharedAccess::kLoad), 8);
}

// Runs a problem on the shape that is chosen for it and checks the machine.
void Emulate(AttentionProblem& problem) {
  const AttentionParams params = problem.params();
  const auto shape = ChooseMmaShape(params.head_dim, params.keys, kSharedLimit);
  ASSERT_TRUE(shape.has_value());
  const EmulationReport report = EmulateMmaAttention(*shape, params);
  ExpectCleanMachine(report);
  EXPECT_TRUE(problem.out().GuardsAreWhole());
}

// Runs a problem and compares it with the reference.
void ExpectNearReference(AttentionProblem problem) {
  ASSERT_NO_FATAL_FAILURE(Emulate(problem));
  EXPECT_LE(problem.Error(), AttentionTolerance(problem.dtype()));
}

class MmaTileTest
    : public testing::TestWithParam<std::tuple<int64_t, int64_t, DType>> {};

TEST_P(MmaTileTest, MatchesDoublePrecision) {
  const auto [head_dim, keys, dtype] = GetParam();

  ExpectNearReference(AttentionProblem(
      {.n = 1, .queries = 65, .keys = keys, .heads = 1, .head_dim = head_dim},
      dtype, 1));
}

INSTANTIATE_TEST_SUITE_P(
    HeadsAndKeys, MmaTileTest,
    testing::Combine(testing::Values(40, 64, 80, 128, 160),
                     testing::Values(1, 63, 64, 65, 77, 128, 300),
                     testing::Values(DType::kF16, DType::kBF16)));

INSTANTIATE_TEST_SUITE_P(OtherHeads, MmaTileTest,
                         testing::Combine(testing::Values(8, 16, 24, 32, 48, 72,
                                                          96, 104, 256, 320,
                                                          512),
                                          testing::Values(77),
                                          testing::Values(DType::kF16)));

TEST(MmaTileExactTest, SelectsSingleKeysExactly) {
  // Query i meets key (7 * i) % keys with a logit of 64 * 64 and the others
  // with at most 0: the output is that key's value, small integers.
  for (const int64_t head_dim : {40, 64, 80, 128, 160}) {
    const int64_t keys = 40;
    AttentionProblem problem(
        {.queries = 128, .keys = keys, .head_dim = head_dim, .scale = 1},
        DType::kF16, [&](int operand, int64_t index) -> float {
          const int64_t row = index / head_dim, column = index % head_dim;
          if (operand == 0) return column == row * 7 % keys ? 64 : 0;
          if (operand == 1) return column == row ? 64 : 0;
          return static_cast<float>((row * 31 + column * 17) % 1024 - 512);
        });

    ASSERT_NO_FATAL_FAILURE(Emulate(problem));

    for (int64_t i = 0; i < 128 * head_dim; ++i) {
      const int64_t key = i / head_dim * 7 % keys, column = i % head_dim;
      ASSERT_EQ(FromBits(DType::kF16, problem.out().data()[i]),
                (key * 31 + column * 17) % 1024 - 512)
          << "head of " << head_dim << ", element " << i;
    }
  }
}

TEST(MmaTileExactTest, AveragesEqualKeysExactly) {
  // All logits are equal, 64 keys, integers below 32: exact in f16.
  AttentionProblem problem(
      {.queries = 70, .keys = 64, .head_dim = 64}, DType::kF16,
      [](int operand, int64_t index) -> float {
        return operand == 2 ? static_cast<float>(index / 64 % 2 * (index % 32))
                            : 0.0f;
      });

  ASSERT_NO_FATAL_FAILURE(Emulate(problem));

  for (int64_t i = 0; i < 70 * 64; ++i) {
    ASSERT_EQ(FromBits(DType::kF16, problem.out().data()[i]),
              static_cast<float>(i % 32) / 2);
  }
}

TEST(MmaTileColumnsTest, ReadsItsOwnColumnsOnly) {
  // What is around the heads is NaN, and so is memory before and after.
  for (const int64_t head_dim : {40, 64, 80, 160}) {
    ExpectNearReference(AttentionProblem({.n = 2,
                                          .queries = 33,
                                          .keys = 77,
                                          .heads = 3,
                                          .head_dim = head_dim,
                                          .before = 24,
                                          .after = 8},
                                         DType::kBF16, 2));
  }
}

TEST(MmaTileCausalTest, MatchesDoublePrecision) {
  for (const int64_t length : {1, 17, 64, 77, 129, 200}) {
    for (const int64_t head_dim : {40, 64, 128}) {
      ExpectNearReference(AttentionProblem({.queries = length,
                                            .keys = length,
                                            .heads = 2,
                                            .head_dim = head_dim,
                                            .causal = true},
                                           DType::kF16, 3));
    }
  }
}

TEST(MmaTileCausalTest, IgnoresWhatComesLater) {
  const AttentionShape shape = {
      .queries = 77, .keys = 77, .head_dim = 64, .causal = true};
  AttentionProblem problem(shape, DType::kF16, 4);
  AttentionProblem changed(shape, DType::kF16, [&](int operand, int64_t i) {
    const bool later = i / 64 >= 40;
    return later ? 3.0f
                 : FromBits(DType::kF16, problem.operand(operand).data()[i]);
  });

  ASSERT_NO_FATAL_FAILURE(Emulate(problem));
  ASSERT_NO_FATAL_FAILURE(Emulate(changed));

  EXPECT_TRUE(std::equal(problem.out().data(), problem.out().data() + 40 * 64,
                         changed.out().data()));
}

TEST(MmaTileLogitsTest, LogitsOfAHundredThousandStayExact) {
  // Two keys per query near -1e5 matter, half a unit apart; the rest is far
  // below. Softmax of (0, -0.5) is (0.62246, 0.37754).
  AttentionProblem problem(
      {.queries = 64, .keys = 300, .head_dim = 64, .scale = 1}, DType::kF16,
      [](int operand, int64_t index) -> float {
        const int64_t row = index / 64, column = index % 64;
        if (operand == 0) return column == 0 ? -250.0f : column == 1 ? 1 : 0;
        if (operand == 1) {
          if (column == 0) return row == 5 || row == 250 ? 400 : 404;
          return column == 1 && row == 250 ? -0.5f : 0;
        }
        return row == 5 ? 1.0f : row == 250 ? -1.0f : 100.0f;
      });

  ASSERT_NO_FATAL_FAILURE(Emulate(problem));

  for (int64_t i = 0; i < 64 * 64; ++i) {
    ASSERT_NEAR(FromBits(DType::kF16, problem.out().data()[i]),
                0.62246 - 0.37754, 1e-3);
  }
}

TEST(MmaTileLogitsTest, FarBelowZeroIsNotMasked) {
  // Every logit is -1e5: the plain mean of the values.
  AttentionProblem problem(
      {.queries = 16, .keys = 77, .head_dim = 40, .scale = 1}, DType::kBF16,
      [](int operand, int64_t index) -> float {
        if (operand == 2) return 0.5f;
        return index % 40 == 0 ? (operand == 0 ? -250.0f : 400.0f) : 0.0f;
      });

  ASSERT_NO_FATAL_FAILURE(Emulate(problem));

  for (int64_t i = 0; i < 16 * 40; ++i) {
    ASSERT_EQ(FromBits(DType::kBF16, problem.out().data()[i]), 0.5f);
  }
}

TEST(MmaTileBatchTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  for (const int64_t head_dim : {40, 80, 512}) {
    AttentionProblem batch(
        {.n = 3, .queries = 50, .keys = 90, .heads = 2, .head_dim = head_dim},
        DType::kF16, 5);
    AttentionProblem alone = batch.Picture(1);

    ASSERT_NO_FATAL_FAILURE(Emulate(batch));
    ASSERT_NO_FATAL_FAILURE(Emulate(alone));

    EXPECT_TRUE(std::equal(alone.out().data(),
                           alone.out().data() + alone.out().size(),
                           batch.out().data() + alone.out().size()));
  }
}

TEST(MmaTileBatchTest, QueryAloneHasTheBitsOfQueryAmongOthers) {
  const AttentionShape shape = {.queries = 130, .keys = 100, .head_dim = 64};
  AttentionProblem all(shape, DType::kF16, 6);
  AttentionShape one = shape;
  one.queries = 1;
  AttentionProblem last(one, DType::kF16, [&](int operand, int64_t i) {
    const int64_t skipped = operand == 0 ? 129 * 64 : 0;
    return FromBits(DType::kF16, all.operand(operand).data()[skipped + i]);
  });

  ASSERT_NO_FATAL_FAILURE(Emulate(all));
  ASSERT_NO_FATAL_FAILURE(Emulate(last));

  EXPECT_TRUE(std::equal(last.out().data(), last.out().data() + 64,
                         all.out().data() + 129 * 64));
}

TEST(MmaTileShapesTest, EveryShapeMatchesDoublePrecision) {
  // Includes those that only other devices choose.
  for (int i = 0; i < static_cast<int>(kMmaShapes.size()); ++i) {
    AttentionProblem problem({.queries = kMmaShapes[i].rows + 3,
                              .keys = 2 * kMmaShapes[i].keys + 5,
                              .head_dim = kMmaShapes[i].head_dim},
                             DType::kF16, 7);

    const EmulationReport report = EmulateMmaAttention(i, problem.params());

    ExpectCleanMachine(report);
    EXPECT_LE(problem.Error(), AttentionTolerance(DType::kF16))
        << "shape " << i;
  }
}

}  // namespace
}  // namespace tessera::kernels::cuda

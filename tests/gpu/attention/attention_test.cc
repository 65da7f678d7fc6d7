// Attention on a device against double precision, and against itself.
#include "kernels/cuda/attention/attention.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/gpu/attention/device_problem.h"
#include "tests/gpu/machine.h"

namespace tessera::kernels::cuda {
namespace {

// Beyond the rounding of probabilities and outputs: ex2.approx errs by 2^-22
// and the tensor cores may cut off sums instead of rounding them.
constexpr double kHardware = 1.25;

class AttentionTest : public testing::TestWithParam<AttentionVariant> {
 protected:
  void SetUp() override {
    const std::string why = WhyNoDevice();
    if (!why.empty()) GTEST_SKIP() << why;
  }

  // Runs a problem and compares every stride-th row with the reference.
  void ExpectNearReference(const AttentionProblem& host, int64_t stride) {
    DeviceProblem problem(host);
    ASSERT_EQ(problem.Run(GetParam()), cudaSuccess);
    problem.Answer();
    EXPECT_LE(problem.problem().Error(stride),
              kHardware * AttentionTolerance(host.dtype()))
        << Describe(host);
  }

  static std::string Describe(const AttentionProblem& problem) {
    const AttentionShape& s = problem.shape();
    return "n " + std::to_string(s.n) + ", queries " +
           std::to_string(s.queries) + ", keys " + std::to_string(s.keys) +
           ", heads " + std::to_string(s.heads) + " of " +
           std::to_string(s.head_dim) + (s.causal ? ", causal" : "") +
           ", type " + std::string(Name(problem.dtype()));
  }
};

INSTANTIATE_TEST_SUITE_P(Variants, AttentionTest,
                         testing::Values(AttentionVariant::kMma,
                                         AttentionVariant::kHopper),
                         [](const auto& info) {
                           return info.param == AttentionVariant::kMma
                                      ? "Mma"
                                      : "Hopper";
                         });

// Returns a shape that any draw may have: every path, odd extents, columns
// before and after the heads.
AttentionShape DrawShape(std::mt19937& random) {
  const auto below = [&](int64_t limit) {
    return static_cast<int64_t>(random() % limit);
  };
  constexpr int64_t kHeadDims[] = {8,  16, 32, 40,  48,  64,  64,  64, 80,
                                   96, 20, 33, 128, 128, 160, 256, 512};
  AttentionShape shape;
  shape.n = 1 + below(3);
  shape.queries = 1 + below(300);
  shape.keys = below(4) == 0 ? 77 : 1 + below(300);
  shape.heads = 1 + below(4);
  shape.head_dim = kHeadDims[below(std::size(kHeadDims))];
  shape.causal = below(5) == 0;
  if (shape.causal) shape.keys = shape.queries;
  shape.before = 8 * below(4);
  shape.after = 8 * below(4);
  if (below(8) == 0) shape.after += 1;  // not aligned to 16 bytes
  return shape;
}

TEST_P(AttentionTest, TwoHundredRandomShapesMatchDoublePrecision) {
  std::mt19937 random(20240229);
  for (uint32_t i = 0; i < 200; ++i) {
    const AttentionShape shape = DrawShape(random);
    const DType dtype = random() % 2 == 0 ? DType::kF16 : DType::kBF16;
    ASSERT_NO_FATAL_FAILURE(ExpectNearReference(
        AttentionProblem(shape, dtype, i), 1 + shape.queries / 20));
  }
}

TEST_P(AttentionTest, ModelsShapesMatchDoublePrecision) {
  for (const AttentionShape& shape : std::vector<AttentionShape>{
           {.n = 2, .queries = 4096, .keys = 4096, .heads = 8, .head_dim = 40},
           {.n = 2, .queries = 1024, .keys = 1024, .heads = 8, .head_dim = 80},
           {.n = 2, .queries = 256, .keys = 256, .heads = 8, .head_dim = 160},
           {.n = 2, .queries = 64, .keys = 64, .heads = 8, .head_dim = 160},
           {.n = 2, .queries = 4096, .keys = 77, .heads = 8, .head_dim = 40},
           {.n = 1, .queries = 4096, .keys = 4096, .heads = 10, .head_dim = 64},
           {.n = 1, .queries = 4096, .keys = 77, .heads = 10, .head_dim = 64},
           {.n = 1, .queries = 2048, .keys = 2048, .heads = 4, .head_dim = 128},
           {.n = 1, .queries = 4096, .keys = 4096, .heads = 1, .head_dim = 512},
           {.queries = 77, .keys = 77, .heads = 12, .causal = true}}) {
    ASSERT_NO_FATAL_FAILURE(ExpectNearReference(
        AttentionProblem(shape, DType::kF16, 1), 1 + shape.queries / 8));
  }
}

TEST_P(AttentionTest, LogitsOfAHundredThousandAreNotMasked) {
  const AttentionShape shape = {
      .queries = 64, .keys = 300, .head_dim = 64, .scale = 1};
  ExpectNearReference(AttentionProblem(shape, DType::kF16,
                                       [](int operand, int64_t i) -> float {
                                         if (operand == 2) {
                                           return static_cast<float>(i % 3);
                                         }
                                         const float x =
                                             operand == 0 ? -250.0f : 400.0f;
                                         return i % 64 == 0 ? x : 0.0f;
                                       }),
                      1);
}

TEST_P(AttentionTest, FiftyRunsHaveTheSameBits) {
  // A missing fence or barrier shows as a rare difference.
  for (const AttentionShape& shape : std::vector<AttentionShape>{
           {.n = 4, .queries = 1024, .keys = 1024, .heads = 8, .head_dim = 64},
           {.n = 4, .queries = 1024, .keys = 1024, .heads = 8, .head_dim = 40},
           {.n = 4, .queries = 999, .keys = 77, .heads = 8, .head_dim = 80},
           {.n = 4, .queries = 512, .keys = 700, .heads = 8, .head_dim = 128},
           {.n = 4, .queries = 300, .keys = 256, .heads = 8, .head_dim = 160},
           {.n = 2,
           .queries = 700,
           .keys = 700,
           .heads = 1,
           .head_dim = 512}}) {
    DeviceProblem problem(AttentionProblem(shape, DType::kF16, 2));
    ASSERT_EQ(problem.Run(GetParam()), cudaSuccess);
    const std::vector<uint16_t> first = problem.Answer();
    for (int run = 1; run < 50; ++run) {
      ASSERT_EQ(problem.Run(GetParam()), cudaSuccess);
      ASSERT_EQ(problem.Answer(), first)
          << "run " << run << ", " << Describe(problem.problem());
    }
  }
}

TEST_P(AttentionTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  for (const int64_t head_dim : {40, 64, 80, 128, 160, 512}) {
    for (const int64_t keys : {77, 333}) {
      DeviceProblem batch(AttentionProblem({.n = 5,
                                            .queries = 333,
                                            .keys = keys,
                                            .heads = 2,
                                            .head_dim = head_dim},
                                           DType::kF16, 3));
      DeviceProblem alone(batch.problem().Picture(3));
      ASSERT_EQ(batch.Run(GetParam()), cudaSuccess);
      ASSERT_EQ(alone.Run(GetParam()), cudaSuccess);

      const std::vector<uint16_t> all = batch.Answer(), one = alone.Answer();

      EXPECT_TRUE(
          std::equal(one.begin(), one.end(),
                     all.begin() + 3 * static_cast<int64_t>(one.size())))
          << Describe(batch.problem());
    }
  }
}

TEST_P(AttentionTest, WrongParametersAreRefused) {
  AttentionProblem problem({}, DType::kF16, 4);
  AttentionParams params = problem.params();
  params.keys = 0;

  EXPECT_EQ(LaunchAttention(params, GetParam(), nullptr),
            cudaErrorInvalidValue);
}

}  // namespace
}  // namespace tessera::kernels::cuda

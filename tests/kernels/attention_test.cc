#include "kernels/ops/attention.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// Scores of rounding error ~1e-6 pass through exp.
constexpr double kTolerance = 5e-6;

struct Case {
  int64_t n, queries, keys, heads, head_dim;
  bool causal;
};

class AttentionTest : public testing::TestWithParam<Case> {
 protected:
  // Arguments over tensors with unused columns on both sides of each head.
  AttentionArgs Args() const {
    const Case& c = GetParam();
    return {.q = q_.view(),
            .q_column = 3,
            .k = k_.view(),
            .k_column = 1,
            .v = v_.view(),
            .v_column = 5,
            .heads = c.heads,
            .head_dim = c.head_dim,
            .scale = 1 / std::sqrt(static_cast<float>(c.head_dim)),
            .causal = c.causal};
  }
  Shape OutShape() const {
    const Case& c = GetParam();
    return {c.n, c.queries, c.heads * c.head_dim};
  }

  const int64_t width_ = GetParam().heads * GetParam().head_dim;
  const Tensor q_ = Random({GetParam().n, GetParam().queries, width_ + 4}, 1);
  const Tensor k_ = Random({GetParam().n, GetParam().keys, width_ + 1}, 2);
  const Tensor v_ = Random({GetParam().n, GetParam().keys, width_ + 7}, 3);
};

TEST_P(AttentionTest, MatchesDoublePrecisionOnEveryMachine) {
  AttentionArgs args = Args();
  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result(OutShape(), DType::kF32);
    args.out = result.view();
    Attention(stream, args);
    return result;
  });

  args.out = out.view();
  ExpectNear(out, reference::Attention(args), kTolerance);
}

TEST_P(AttentionTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  OnEveryMachine([&](Stream& stream) {
    Tensor all(OutShape(), DType::kF32), alone(OutShape(), DType::kF32);
    AttentionArgs args = Args();
    args.out = all.view();
    Attention(stream, args);
    for (int64_t n = 0; n < GetParam().n; ++n) {
      args.q = q_.view().Slice(n, n + 1);
      args.k = k_.view().Slice(n, n + 1);
      args.v = v_.view().Slice(n, n + 1);
      args.out = alone.view().Slice(n, n + 1);
      Attention(stream, args);
    }
    ExpectSameBits(alone.view(), all.view());
    return all;
  });
}

INSTANTIATE_TEST_SUITE_P(OddShapes, AttentionTest,
                         testing::Values(Case{1, 1, 1, 1, 1, false},
                                         Case{2, 5, 3, 2, 7, false},
                                         Case{2, 64, 64, 3, 32, false},
                                         Case{1, 100, 300, 2, 40, false},
                                         Case{2, 17, 77, 2, 24, false},
                                         Case{2, 77, 77, 2, 64, true},
                                         Case{1, 300, 300, 1, 16, true},
                                         Case{1, 33, 515, 1, 128, false},
                                         Case{1, 9, 600, 1, 512, false}));

TEST(AttentionTest, LargeScoresDoNotOverflow) {
  Tensor q({1, 2, 8}, DType::kF32), k = Random({1, 20, 8}, 1);
  const Tensor v = Random({1, 20, 8}, 2);
  for (int64_t i = 0; i < 16; ++i) q.f32()[i] = 200;
  AttentionArgs args = {.q = q.view(),
                        .k = k.view(),
                        .v = v.view(),
                        .heads = 1,
                        .head_dim = 8,
                        .scale = 1};

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result({1, 2, 8}, DType::kF32);
    args.out = result.view();
    Attention(stream, args);
    return result;
  });

  args.out = out.view();
  ExpectNear(out, reference::Attention(args), kTolerance);
}

TEST(AttentionTest, RefusesHeadsWiderThanTheRows) {
  const Tensor x = Random({1, 2, 8}, 1);
  Tensor out({1, 2, 16}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        Attention(stream, {.q = x.view(),
                           .k = x.view(),
                           .v = x.view(),
                           .heads = 2,
                           .head_dim = 8,
                           .scale = 1,
                           .out = out.view()});
      },
      "attention");
}

}  // namespace
}  // namespace tessera::kernels

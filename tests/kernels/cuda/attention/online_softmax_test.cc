#include "kernels/cuda/tiles/online_softmax.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// The host's own functions.
struct Maths {
  static float Max(float x, float y) { return std::fmax(x, y); }
  static float Fma(float x, float y, float z) { return std::fma(x, y, z); }
  static float Exp2(float x) { return std::exp2(x); }
};

// Returns sum(exp2(scale * s) v) / sum(exp2(scale * s)) over scores that come
// in blocks of `block`.
float Average(const std::vector<float>& scores, const std::vector<float>& v,
              float scale, size_t block) {
  RowMaximum maximum;
  float sum = 0, out = 0;
  for (size_t first = 0; first < scores.size(); first += block) {
    const size_t last = std::min(first + block, scores.size());
    float largest = kMasked;
    for (size_t i = first; i < last; ++i)
      largest = Maths::Max(largest, scores[i]);
    const float factor = maximum.Raise<Maths>(largest * scale);
    sum *= factor;
    out *= factor;
    for (size_t i = first; i < last; ++i) {
      const float p = Probability<Maths>(scores[i], scale, maximum.Reference());
      sum += p;
      out += p * v[i];
    }
  }
  return out * InverseSum(sum);
}

TEST(OnlineSoftmaxTest, MatchesTheWholeRowInDoublePrecision) {
  std::vector<float> scores, v;
  double sum = 0, out = 0;
  for (int i = 0; i < 77; ++i) {
    scores.push_back(static_cast<float>((i * 37) % 77) / 7);
    v.push_back(static_cast<float>(i % 5) - 2);
    sum += std::exp2(0.75 * scores[i]);
    out += std::exp2(0.75 * scores[i]) * v[i];
  }

  for (const size_t block : {1, 16, 64, 77}) {
    // Some ulps of the sum's 77 terms.
    EXPECT_NEAR(Average(scores, v, 0.75f, block), out / sum, 2e-6);
  }
}

TEST(OnlineSoftmaxTest, BlocksAgreeHoweverLargeTheLogits) {
  // The scaled maxima round by 0.004 here; both blocks must round alike.
  const std::vector<float> scores = {100000.0f, 99999.5f};

  EXPECT_NEAR(Average(scores, {1, 0}, 1.4426950f, 1),
              Average(scores, {1, 0}, 1.4426950f, 2), 1e-6);
  EXPECT_NEAR(Average(scores, {1, 0}, 1.4426950f, 1), 0.62246, 3e-3);
}

TEST(OnlineSoftmaxTest, MaskedKeysTakeNoPart) {
  EXPECT_EQ(Average({kMasked, kMasked, 2.0f, kMasked}, {9, 9, 3, 9}, 1, 2), 3);
}

TEST(OnlineSoftmaxTest, RowThatSeesNoKeyIsZero) {
  EXPECT_EQ(Average({kMasked, kMasked}, {1, 1}, 1, 1), 0);
}

TEST(OnlineSoftmaxTest, NotANumberStaysOne) {
  EXPECT_TRUE(std::isnan(Average({1, NAN, 2}, {1, 1, 1}, 1, 1)));
}

}  // namespace
}  // namespace tessera::kernels::cuda

#include "worker/model/torch_noise.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/denoising/sampler_values.h"

namespace tessera::model {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// The rounding of sin, cos and log, which differs between libraries; values
// are at most about 6.
constexpr float kRounding = 3e-6f;

std::string Name(const nlohmann::json& table_case, size_t count) {
  return "seed " + table_case["seed"].dump() + ", " + std::to_string(count) +
         " values";
}

TEST(TorchNoiseTest, EveryValueIsThatOfTorch) {
  for (const auto& noise : SamplerValues("noise")) {
    const std::vector<float> want = FloatsOf(noise["values"]);
    const std::vector<float> got =
        TorchNormal(noise["seed"].get<uint64_t>(), std::ssize(want));
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_NEAR(got[i], want[i], kRounding)
          << Name(noise, want.size()) << ", value " << i;
    }
  }
}

TEST(TorchNoiseTest, LatentsOfWholePicturesAreThoseOfTorch) {
  for (const auto& noise : SamplerValues("large_noise")) {
    const auto size = noise["size"].get<int64_t>();
    const std::vector<float> got =
        TorchNormal(noise["seed"].get<uint64_t>(), size);
    ASSERT_THAT(got, SizeIs(size));
    double sum = 0, squares = 0;
    for (const double value : got) {
      sum += value;
      squares += value * value;
    }
    const std::string name = Name(noise, got.size());
    // Each value is off by 3e-7 at most in the mean.
    EXPECT_NEAR(sum, noise["sum"].get<double>(), 3e-7 * size) << name;
    EXPECT_NEAR(squares, noise["squares"].get<double>(), 1e-6 * size) << name;
    const std::vector<float> first = FloatsOf(noise["first"]);
    const std::vector<float> last = FloatsOf(noise["last"]);
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_NEAR(got[i], first[i], kRounding) << name << ", value " << i;
    }
    for (size_t i = 0; i < last.size(); ++i) {
      EXPECT_NEAR(got[got.size() - last.size() + i], last[i], kRounding)
          << name << ", value " << i << " of the last";
    }
  }
}

TEST(TorchNoiseTest, NoValuesNeedNoDraw) {
  EXPECT_THAT(TorchNormal(1, 0), IsEmpty());
}

TEST(TorchNoiseTest, SameSeedGivesTheSameBits) {
  EXPECT_EQ(TorchNormal(123, 1000), TorchNormal(123, 1000));
  EXPECT_NE(TorchNormal(123, 1000), TorchNormal(124, 1000));
}

TEST(TorchNoiseTest, OnlyTheLow32BitsOfASeedCount) {
  // So it is with torch, whose table above has both seeds of each pair.
  for (const int64_t size : {1, 15, 16, 40}) {
    EXPECT_EQ(TorchNormal(0, size), TorchNormal(uint64_t{1} << 32, size));
    EXPECT_EQ(TorchNormal(0, size), TorchNormal(uint64_t{1} << 63, size));
    EXPECT_EQ(TorchNormal(UINT32_MAX, size), TorchNormal(UINT64_MAX, size));
  }
}

TEST(TorchNoiseTest, LongerDrawsBeginLikeShorterOnesOfWholeBlocks) {
  const std::vector<float> two = TorchNormal(5, 32);
  const std::vector<float> three = TorchNormal(5, 48);

  EXPECT_EQ(two, std::vector(three.begin(), three.begin() + 32));
}

TEST(TorchNoiseTest, TailReplacesTheEndOfTheLastWholeBlock) {
  const std::vector<float> whole = TorchNormal(5, 32);
  const std::vector<float> odd = TorchNormal(5, 33);

  // The first 17 stand, the last 16 are new.
  for (size_t i = 0; i < 33; ++i) {
    if (i < 17) {
      EXPECT_EQ(odd[i], whole[i]) << i;
    } else if (i < 32) {
      EXPECT_NE(odd[i], whole[i]) << i;
    }
  }
}

TEST(TorchNoiseTest, ValuesAreNormal) {
  constexpr int64_t kCount = 100'000;
  double sum = 0, squares = 0, fourths = 0;
  for (const double value : TorchNormal(2024, kCount)) {
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
    fourths += value * value * value * value;
  }

  // Five standard errors: 1, sqrt(2) and sqrt(96) over sqrt(kCount).
  EXPECT_NEAR(sum / kCount, 0, 0.016);
  EXPECT_NEAR(squares / kCount, 1, 0.023);
  EXPECT_NEAR(fourths / kCount, 3, 0.16);
}

}  // namespace
}  // namespace tessera::model

#include "kernels/convert.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/dtype.h"

namespace tessera::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Every finite half is exact in f32, so that it must come back.
TEST(FloatToHalfTest, GivesBackEveryHalf) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float wide = HalfToFloat(half);
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(wide))));
    } else {
      ASSERT_EQ(FloatToHalf(wide), half) << wide;
    }
  }
}

// Values between two neighbours go to the nearer one, those in the middle to
// the even one (IEEE 754, roundTiesToEven).
TEST(FloatToHalfTest, RoundsToTheNearestAndTiesToEven) {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = HalfToFloat(static_cast<uint16_t>(bits));
    const float high = HalfToFloat(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;  // exact in f32
    ASSERT_EQ(FloatToHalf(middle), bits % 2 == 0 ? bits : bits + 1) << middle;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, low)), bits) << middle;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, high)), bits + 1) << middle;
    ASSERT_EQ(FloatToHalf(-middle), FloatToHalf(middle) | 0x8000) << middle;
  }
}

TEST(FloatToHalfTest, OverflowsFromHalfWayToTheNextPowerOfTwo) {
  EXPECT_EQ(FloatToHalf(65504), 0x7BFF);
  EXPECT_EQ(FloatToHalf(std::nextafter(65520.0f, 0.0f)), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65520), 0x7C00);
  EXPECT_EQ(FloatToHalf(-kInfinity), 0xFC00);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(FloatToBf16Test, RoundsToTheNearestAndTiesToEven) {
  for (uint32_t bits = 0; bits < 0x7F80; ++bits) {
    const auto middle = std::bit_cast<float>(bits << 16 | 0x8000);
    const auto below = std::bit_cast<float>(bits << 16 | 0x7FFF);
    const auto above = std::bit_cast<float>(bits << 16 | 0x8001);
    ASSERT_EQ(FloatToBf16(middle), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(FloatToBf16(below), bits);
    ASSERT_EQ(FloatToBf16(above), bits + 1);
    ASSERT_EQ(FloatToBf16(Bf16ToFloat(static_cast<uint16_t>(bits))), bits);
  }
}

TEST(FloatToBf16Test, KeepsInfinityAndNan) {
  EXPECT_EQ(FloatToBf16(kInfinity), 0x7F80);
  EXPECT_EQ(FloatToBf16(-kInfinity), 0xFF80);
  // A NaN whose set bits are all below those that are kept.
  EXPECT_TRUE(
      std::isnan(Bf16ToFloat(FloatToBf16(std::bit_cast<float>(0x7F800001u)))));
}

TEST(ConvertElementsTest, ConvertsAPartOfAnArrayAtAnyAddress) {
  // The halves of 1, 2, 3 and 4 from an odd address on.
  const std::vector<uint8_t> bytes = {0,    0x00, 0x3C, 0x00, 0x40,
                                      0x00, 0x42, 0x00, 0x44};
  std::vector<float> out(4, -1);

  ConvertElements(bytes.data() + 1, DType::kF16, out.data(), DType::kF32, 1, 3);

  EXPECT_EQ(out, (std::vector<float>{-1, 2, 3, -1}));
}

TEST(ConvertElementsTest, RoundsFromOneSixteenBitTypeToTheOther) {
  const uint16_t half = FloatToHalf(1.0f + 0x1p-9f);
  uint16_t bf16 = 0;

  ConvertElements(&half, DType::kF16, &bf16, DType::kBF16, 0, 1);

  EXPECT_EQ(Bf16ToFloat(bf16), 1.0f);
}

// An odd address, and every place of a vector and of its tail.
TEST(AllFiniteTest, FindsInfinityAndNanWhereverTheyAre) {
  struct Case {
    DType dtype;
    uint32_t largest, infinity, nan;
  };
  for (const Case& c : {Case{DType::kF32, 0xFF7FFFFF, 0xFF800000, 0x7F800001},
                        Case{DType::kF16, 0xFBFF, 0xFC00, 0x7C01},
                        Case{DType::kBF16, 0xFF7F, 0xFF80, 0x7F81}}) {
    const auto size = static_cast<size_t>(SizeOf(c.dtype));
    constexpr size_t kCount = 37;
    std::vector<char> bytes(1 + kCount * size);
    const auto set = [&](size_t at, uint32_t bits) {
      std::memcpy(&bytes[1 + at * size], &bits, size);
    };
    for (size_t at = 0; at < kCount; ++at) set(at, c.largest);
    EXPECT_TRUE(AllFinite(&bytes[1], c.dtype, kCount));
    for (size_t at = 0; at < kCount; ++at) {
      for (const uint32_t bad : {c.infinity, c.nan}) {
        set(at, bad);
        EXPECT_FALSE(AllFinite(&bytes[1], c.dtype, kCount)) << at;
      }
      set(at, c.largest);
    }
  }
}

}  // namespace
}  // namespace tessera::kernels

#include "kernels/e4m3.h"

#include <cmath>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace tessera::kernels {
namespace {

// Open Compute's 8-bit floating point specification, table of E4M3.
TEST(E4M3Test, WidensTheNumbersOfTheSpecification) {
  EXPECT_EQ(E4M3ToFloat(0x00), 0.0f);
  EXPECT_TRUE(std::signbit(E4M3ToFloat(0x80)));
  EXPECT_EQ(E4M3ToFloat(0x01), 0x1p-9f);           // least subnormal
  EXPECT_EQ(E4M3ToFloat(0x07), 0.875f * 0x1p-6f);  // largest subnormal
  EXPECT_EQ(E4M3ToFloat(0x08), 0x1p-6f);           // least normal
  EXPECT_EQ(E4M3ToFloat(0x38), 1.0f);
  EXPECT_EQ(E4M3ToFloat(0xB9), -1.125f);
  EXPECT_EQ(E4M3ToFloat(0x7E), 448.0f);
  EXPECT_TRUE(std::isnan(E4M3ToFloat(0x7F)));
  EXPECT_TRUE(std::isnan(E4M3ToFloat(0xFF)));
}

TEST(E4M3Test, EveryNumberSurvivesARoundTrip) {
  for (int code = 0; code < 256; ++code) {
    const auto bits = static_cast<uint8_t>(code);
    EXPECT_EQ(FloatToE4M3(E4M3ToFloat(bits)), bits) << code;
  }
}

TEST(E4M3Test, HalfwayGoesToTheEvenNeighbourAndElseToTheNearer) {
  for (int code = 0; code < 0x7E; ++code) {
    const float low = E4M3ToFloat(static_cast<uint8_t>(code));
    const float high = E4M3ToFloat(static_cast<uint8_t>(code + 1));
    const float middle = (low + high) / 2;  // exact in f32
    EXPECT_EQ(FloatToE4M3(middle), code + code % 2) << code;
    EXPECT_EQ(FloatToE4M3(std::nextafter(middle, 0.0f)), code) << code;
    EXPECT_EQ(FloatToE4M3(std::nextafter(middle, high)), code + 1) << code;
    EXPECT_EQ(FloatToE4M3(-middle), 0x80 + code + code % 2) << code;
  }
}

TEST(E4M3Test, WhatIsTooLargeBecomesTheLargest) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float large : {449.0f, 463.9f, 464.0f, 1e30f, infinity}) {
    EXPECT_EQ(FloatToE4M3(large), 0x7E) << large;
    EXPECT_EQ(FloatToE4M3(-large), 0xFE) << large;
  }
  EXPECT_EQ(FloatToE4M3(std::numeric_limits<float>::quiet_NaN()), 0x7F);
}

TEST(E4M3Test, RandomNumbersGoToTheNearest) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> exponent(-11, 9);
  for (int i = 0; i < 2000; ++i) {
    const float value = std::exp2(exponent(engine));
    double least = 1e9;
    for (int code = 0; code < 0x7F; ++code) {
      least =
          std::min(least, std::abs(static_cast<double>(value) -
                                   E4M3ToFloat(static_cast<uint8_t>(code))));
    }
    EXPECT_EQ(
        std::abs(static_cast<double>(value) - E4M3ToFloat(FloatToE4M3(value))),
        least)
        << value;
  }
}

}  // namespace
}  // namespace tessera::kernels

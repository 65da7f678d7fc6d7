#include "kernels/cuda/tiles/index_divisor.h"

#include <vector>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Dividends around every multiple are where a rounded multiplier would fail.
TEST(IndexDivisorTest, DividesExactlyAroundMultiples) {
  constexpr int64_t kMax = 0x7FFFFFFF;
  std::vector<int64_t> divisors = {kMax, kMax - 1, kMax / 2, kMax / 2 + 1};
  for (int64_t d = 1; d < 3000; ++d) divisors.push_back(d);
  for (int shift = 1; shift < 31; ++shift) {
    for (const int64_t by : {-1, 0, 1}) {
      divisors.push_back((int64_t{1} << shift) + by);
    }
  }
  for (const int64_t d : divisors) {
    const IndexDivisor divisor(d);
    std::vector<int64_t> dividends = {0, 1, d - 1, d, d + 1, kMax, kMax - 1};
    for (int64_t step = 1; step < 64; ++step) {
      const int64_t multiple = kMax / d * step / 64 * d;
      dividends.push_back(multiple);
      if (multiple > 0) dividends.push_back(multiple - 1);
    }
    for (const int64_t n : dividends) {
      ASSERT_EQ(divisor.Quotient(n), n / d) << n << " / " << d;
    }
  }
}

TEST(IndexDivisorTest, DividesNumbersOfMoreThan31Bits) {
  const int64_t huge = (int64_t{5} << 40) + 3;

  EXPECT_EQ(IndexDivisor(320).Quotient(huge), huge / 320);
  EXPECT_EQ(IndexDivisor(int64_t{1} << 33).Quotient(huge), huge >> 33);
  EXPECT_EQ(IndexDivisor(int64_t{1} << 33).Quotient(77), 0);
}

}  // namespace
}  // namespace tessera::kernels::cuda

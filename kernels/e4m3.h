// The 8-bit float format that GPUs multiply: 4 bits of exponent, 3 of mantissa.
#ifndef TESSERA_KERNELS_E4M3_H_
#define TESSERA_KERNELS_E4M3_H_

#include <bit>
#include <cstdint>

namespace tessera::kernels {

// The largest number that the format has; it has no infinity.
inline constexpr float kLargestE4M3 = 448;

// Widens a bit pattern; exact. 0x7F and 0xFF are not numbers.
constexpr float E4M3ToFloat(uint8_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80) << 24;
  const uint32_t exponent = bits >> 3 & 0xF;
  const uint32_t mantissa = bits & 7;
  if (exponent == 0xF && mantissa == 7) {
    return std::bit_cast<float>(sign | 0x7FC00000u);
  }
  if (exponent == 0) {
    // Subnormals are multiples of 2^-9.
    const float magnitude = static_cast<float>(mantissa) * 0x1p-9f;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | (exponent + 120) << 23 | mantissa << 20);
}

// Rounds to the nearest, ties to even; what is larger than the largest becomes
// the largest, NaN stays NaN.
constexpr uint8_t FloatToE4M3(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint8_t>(bits >> 24 & 0x80);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return sign | 0x7F;
  // 464 is halfway to what would follow 448; ties and beyond saturate.
  if (magnitude >= 0x43E80000u) return sign | 0x7E;
  if (magnitude < 0x3C800000u) {
    // Adds 2^14, whose last bit is worth 2^-9 as a subnormal's is: the sum is
    // rounded where the format ends.
    const float sum = std::bit_cast<float>(magnitude) + 0x1p14f;
    return static_cast<uint8_t>(sign |
                                (std::bit_cast<uint32_t>(sum) - 0x46800000u));
  }
  const uint32_t rounded = magnitude + 0x7FFFFu + (magnitude >> 20 & 1u);
  return static_cast<uint8_t>(sign | ((rounded - 0x3C000000u) >> 20));
}

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_E4M3_H_

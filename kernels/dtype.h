// Element types of tensors, and the two 16-bit float formats of checkpoints.
#ifndef TESSERA_KERNELS_DTYPE_H_
#define TESSERA_KERNELS_DTYPE_H_

#include <bit>
#include <cstdint>
#include <string_view>

namespace tessera::kernels {

// Element types; the enumerator's value is not stored in any file.
enum class DType : uint8_t { kF32, kF16, kBF16, kI32, kU8 };

// Returns the size of one element in bytes.
constexpr int64_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kI32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kU8:
      return 1;
  }
  return 0;
}

// Returns whether elements are floating point numbers of any width.
constexpr bool IsFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

// Returns the lower-case name used in messages, e.g. "f32".
constexpr std::string_view Name(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "f32";
    case DType::kF16:
      return "f16";
    case DType::kBF16:
      return "bf16";
    case DType::kI32:
      return "i32";
    case DType::kU8:
      return "u8";
  }
  return "unknown";
}

// Widens a bfloat16 bit pattern; exact.
inline float Bf16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// Widens an IEEE half bit pattern; exact, subnormals included. Without a
// branch, so that a compiler widens a whole vector at a time.
inline float HalfToFloat(uint16_t bits) {
  // Moves exponent and mantissa to a float's places and corrects the bias by a
  // multiplication, which is exact and normalises subnormals.
  const auto widened = static_cast<uint32_t>(bits & 0x7FFFu) << 13;
  const float magnitude = std::bit_cast<float>(widened) * 0x1p112f;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  // Infinity and NaN have the largest exponent in both formats.
  const uint32_t special = (bits & 0x7C00u) == 0x7C00u ? 0x7F800000u : 0;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign |
                              special);
}

// Rounds to the nearest bfloat16, ties to even; NaN stays NaN.
inline uint16_t FloatToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
    return static_cast<uint16_t>(bits >> 16 | 0x40u);  // quiet
  }
  return static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

// Rounds to the nearest IEEE half, ties to even: subnormals are kept, values
// of 65520 and more become infinite, NaN stays NaN.
inline uint16_t FloatToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return sign | 0x7E00u;
  if (magnitude >= 0x477FF000u) return sign | 0x7C00u;
  if (magnitude < 0x38800000u) {
    // Adds 0.5, whose last bit is worth 2^-24 as a subnormal half's is: the sum
    // is rounded where the half ends.
    const float sum = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign |
                                 (std::bit_cast<uint32_t>(sum) - 0x3F000000u));
  }
  const uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_DTYPE_H_

// Rounds to the two 16-bit float formats, as the device does.
#ifndef TESSERA_TESTS_KERNELS_CUDA_ATTENTION_HALF_BITS_H_
#define TESSERA_TESTS_KERNELS_CUDA_ATTENTION_HALF_BITS_H_

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Rounds to bfloat16, to nearest even; keeps NaN.
inline uint16_t ToBf16Bits(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return 0x7FFF;
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

// Rounds to IEEE half, to nearest even; overflows to infinity, keeps NaN.
inline uint16_t ToHalfBits(float x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) return 0x7FFF;
  const float magnitude = std::fabs(x);
  if (magnitude >= 65520.0f) return sign | 0x7C00;
  if (magnitude < 0x1p-14f) {  // subnormal: a multiple of 2^-24
    return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));
  }
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude);
  const uint32_t rounded = bits + 0xFFF + ((bits >> 13) & 1);
  return sign | static_cast<uint16_t>((rounded >> 13) - (112u << 10));
}

// Rounds to f16 or bf16.
inline uint16_t ToBits(DType dtype, float x) {
  return dtype == DType::kF16 ? ToHalfBits(x) : ToBf16Bits(x);
}

// Widens f16 or bf16; exact.
inline float FromBits(DType dtype, uint16_t bits) {
  return dtype == DType::kF16 ? HalfToFloat(bits) : Bf16ToFloat(bits);
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_ATTENTION_HALF_BITS_H_

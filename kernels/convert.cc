#include "kernels/convert.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "common/check.h"

namespace tessera::kernels {
namespace {

// A float type as it lies in an array, byte by byte: a checkpoint may start a
// tensor at an odd address.
struct F32 {
  using Bits = float;
  static float Widen(float value) { return value; }
  static float Round(float value) { return value; }
};
struct F16 {
  using Bits = uint16_t;
  static float Widen(uint16_t bits) { return HalfToFloat(bits); }
  static uint16_t Round(float value) { return FloatToHalf(value); }
};
struct BF16 {
  using Bits = uint16_t;
  static float Widen(uint16_t bits) { return Bf16ToFloat(bits); }
  static uint16_t Round(float value) { return FloatToBf16(value); }
};

// Converts `count` elements; a loop for each pair of types, so that a compiler
// can take a whole vector at a time.
template <typename From, typename To>
void Convert(const std::byte* source, std::byte* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    typename From::Bits bits;
    std::memcpy(&bits, source + static_cast<int64_t>(sizeof bits) * i,
                sizeof bits);
    const typename To::Bits rounded = To::Round(From::Widen(bits));
    std::memcpy(out + static_cast<int64_t>(sizeof rounded) * i, &rounded,
                sizeof rounded);
  }
}

// Converts from one type to whichever other it is.
template <typename From>
void ConvertFrom(const std::byte* source, std::byte* out, DType to,
                 int64_t count) {
  if (to == DType::kF32) return Convert<From, F32>(source, out, count);
  if (to == DType::kF16) return Convert<From, F16>(source, out, count);
  Convert<From, BF16>(source, out, count);
}

// Returns whether no pattern of `source` has all bits of `exponent` set, which
// only infinities and NaN have.
template <typename Bits>
bool NoneHasAll(const std::byte* source, int64_t elements, Bits exponent) {
  // Keeps the largest exponent without a branch, so that a compiler looks at a
  // whole vector at a time.
  Bits largest = 0;
  for (int64_t i = 0; i < elements; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, source + static_cast<int64_t>(sizeof bits) * i,
                sizeof bits);
    largest = std::max(largest, static_cast<Bits>(bits & exponent));
  }
  return largest != exponent;
}

}  // namespace

bool AllFinite(const void* source, DType dtype, int64_t elements) {
  CHECK(IsFloat(dtype));
  const auto* const read = static_cast<const std::byte*>(source);
  if (dtype == DType::kF32) {
    return NoneHasAll<uint32_t>(read, elements, 0x7F800000);
  }
  return NoneHasAll<uint16_t>(read, elements,
                              dtype == DType::kF16 ? 0x7C00 : 0x7F80);
}

void ConvertElements(const void* source, DType from, void* out, DType to,
                     int64_t begin, int64_t end) {
  const auto* const read = static_cast<const std::byte*>(source);
  auto* const write = static_cast<std::byte*>(out);
  const int64_t size = SizeOf(from);
  const std::byte* const first = read + begin * size;
  std::byte* const to_first = write + begin * SizeOf(to);
  const int64_t count = end - begin;
  if (from == to) {
    std::memcpy(to_first, first, static_cast<size_t>(count * size));
    return;
  }
  CHECK(IsFloat(from) && IsFloat(to));
  if (from == DType::kF32) return ConvertFrom<F32>(first, to_first, to, count);
  if (from == DType::kF16) return ConvertFrom<F16>(first, to_first, to, count);
  ConvertFrom<BF16>(first, to_first, to, count);
}

}  // namespace tessera::kernels

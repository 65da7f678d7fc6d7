#include "kernels/convert.h"

#include <cstddef>
#include <cstring>

#include "common/check.h"

namespace tessera::kernels {
namespace {

// Reads element `i` of a float array byte by byte, for a checkpoint may start
// a tensor at an odd address.
float Load(const std::byte* data, DType dtype, int64_t i) {
  if (dtype == DType::kF32) {
    float value = 0;
    std::memcpy(&value, data + 4 * i, 4);
    return value;
  }
  uint16_t bits = 0;
  std::memcpy(&bits, data + 2 * i, 2);
  return dtype == DType::kF16 ? HalfToFloat(bits) : Bf16ToFloat(bits);
}

// Rounds `value` into element `i` of a float array.
void Store(std::byte* data, DType dtype, int64_t i, float value) {
  if (dtype == DType::kF32) {
    std::memcpy(data + 4 * i, &value, 4);
    return;
  }
  const uint16_t bits =
      dtype == DType::kF16 ? FloatToHalf(value) : FloatToBf16(value);
  std::memcpy(data + 2 * i, &bits, 2);
}

}  // namespace

void ConvertElements(const void* source, DType from, void* out, DType to,
                     int64_t begin, int64_t end) {
  const auto* const read = static_cast<const std::byte*>(source);
  auto* const write = static_cast<std::byte*>(out);
  if (from == to) {
    const int64_t size = SizeOf(from);
    std::memcpy(write + begin * size, read + begin * size,
                static_cast<size_t>((end - begin) * size));
    return;
  }
  CHECK(IsFloat(from) && IsFloat(to));
  for (int64_t i = begin; i < end; ++i) {
    Store(write, to, i, Load(read, from, i));
  }
}

}  // namespace tessera::kernels

// Element types of tensors.
#ifndef TESSERA_KERNELS_DTYPE_H_
#define TESSERA_KERNELS_DTYPE_H_

#include <cstdint>

namespace tessera::kernels {

// kF32 is what the CPU computes in; the others arrive from files or go out.
enum class DType : uint8_t { kF32, kF16, kBF16, kI32, kU8 };

// Returns the bytes of one element.
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

// Returns the field's short name, such as "f32".
constexpr const char* Name(DType dtype) {
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

// IEEE 754 half and bfloat16 to float, exact.
float HalfToFloat(uint16_t bits);
float BFloat16ToFloat(uint16_t bits);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_DTYPE_H_

#include "kernels/tensor.h"

#include <bit>
#include <cstdlib>
#include <cstring>

namespace tessera::kernels {

float HalfToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 31;
  const uint32_t mantissa = bits & 0x3ff;
  if (exponent == 31) {
    return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  }
  if (exponent == 0) {
    // Zero and subnormals: the mantissa counts units of 2^-24, exactly.
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

float BFloat16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

TensorView TensorView::Reshaped(const Shape& shape) const {
  CHECK(shape.elements() == shape_.elements());
  return TensorView(data_, dtype_, shape);
}

TensorView TensorView::Slice(int64_t first, int64_t count) const {
  CHECK(shape_.rank() > 0 && first >= 0 && count >= 0 &&
        first + count <= shape_[0]);
  Shape shape{count};
  int64_t row = SizeOf(dtype_);
  for (int i = 1; i < shape_.rank(); ++i) {
    shape.Append(shape_[i]);
    row *= shape_[i];
  }
  return TensorView(static_cast<uint8_t*>(data_) + first * row, dtype_, shape);
}

void Tensor::Free::operator()(void* memory) const { std::free(memory); }

Tensor Tensor::Uninitialized(DType dtype, const Shape& shape) {
  const size_t bytes = static_cast<size_t>(shape.elements() * SizeOf(dtype));
  const size_t rounded = (bytes + kAlignment) / kAlignment * kAlignment;
  Tensor tensor;
  tensor.memory_.reset(std::aligned_alloc(kAlignment, rounded));
  CHECK(tensor.memory_ != nullptr);
  tensor.view_ = TensorView(tensor.memory_.get(), dtype, shape);
  return tensor;
}

Tensor Tensor::Zeros(DType dtype, const Shape& shape) {
  Tensor tensor = Uninitialized(dtype, shape);
  std::memset(tensor.view_.data(), 0,
              static_cast<size_t>(tensor.view_.bytes()));
  return tensor;
}

Tensor Tensor::ToF32(const TensorView& view) {
  Tensor tensor = Uninitialized(DType::kF32, view.shape());
  const int64_t n = view.shape().elements();
  float* const to = tensor.f32();
  switch (view.dtype()) {
    case DType::kF32:
      std::memcpy(to, view.data(), static_cast<size_t>(view.bytes()));
      return tensor;
    case DType::kF16:
    case DType::kBF16: {
      const auto convert =
          view.dtype() == DType::kF16 ? HalfToFloat : BFloat16ToFloat;
      const auto* from = static_cast<const uint8_t*>(view.data());
      for (int64_t i = 0; i < n; ++i) {
        uint16_t bits = 0;  // files align nothing
        std::memcpy(&bits, from + 2 * i, 2);
        to[i] = convert(bits);
      }
      return tensor;
    }
    default:
      CHECK(view.dtype() == DType::kF32);
      return tensor;
  }
}

}  // namespace tessera::kernels

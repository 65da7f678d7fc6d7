#include "kernels/tensor.h"

#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tessera::kernels {
namespace {

// A cache line, and the widest vector.
constexpr size_t kAlignment = 64;

}  // namespace

TensorView TensorView::Slice(int64_t begin, int64_t end) const {
  CHECK(shape.rank() > 0 && begin >= 0 && begin <= end && end <= shape[0]);
  Shape part = shape;
  part.Set(0, end - begin);
  // Counts the bytes of one entry of the first axis; an empty tensor has none.
  const int64_t entry = shape[0] == 0 ? 0 : bytes() / shape[0];
  return {static_cast<std::byte*>(data) + begin * entry, dtype, part};
}

TensorView TensorView::Reshaped(Shape new_shape) const {
  CHECK(new_shape.elements() == shape.elements());
  return {data, dtype, new_shape};
}

Tensor::Tensor(Shape shape, DType dtype) : shape_(shape), dtype_(dtype) {
  const auto size = static_cast<size_t>(bytes());
  // Rounds up past the end: aligned_alloc wants a multiple of the alignment,
  // and an empty tensor still gets memory, so that its data is not null.
  const size_t rounded = (size / kAlignment + 1) * kAlignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
  // Dies without memory: no caller could go on.
  CHECK(data_ != nullptr);
  // Zeroes the padding too; packing counts on zeros.
  std::memset(data_.get(), 0, rounded);
}

void Tensor::Free::operator()(std::byte* memory) const { std::free(memory); }

// Keeps emptiness: an empty tensor owns no memory and has shape [0].
Tensor Tensor::Clone() const {
  if (empty()) return Tensor();
  Tensor copy(shape_, dtype_);
  std::memcpy(copy.data_.get(), data_.get(), static_cast<size_t>(bytes()));
  return copy;
}

absl::StatusOr<Tensor> ToF32(const TensorView& source) {
  if (!IsFloat(source.dtype)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor: expected floating point elements, got ",
                     std::string(Name(source.dtype))));
  }
  Tensor f32(source.shape, DType::kF32);
  const int64_t n = source.shape.elements();
  if (source.dtype == DType::kF32) {
    std::memcpy(f32.f32(), source.data, static_cast<size_t>(source.bytes()));
    return f32;
  }
  // Reads 16-bit elements byte by byte, for a checkpoint may start a tensor at
  // an odd address.
  const bool half = source.dtype == DType::kF16;
  const auto* from = static_cast<const std::byte*>(source.data);
  for (int64_t i = 0; i < n; ++i) {
    uint16_t bits = 0;  // copied, for files align nothing
    std::memcpy(&bits, from + 2 * i, 2);
    f32.f32()[i] = half ? HalfToFloat(bits) : Bf16ToFloat(bits);
  }
  return f32;
}

}  // namespace tessera::kernels

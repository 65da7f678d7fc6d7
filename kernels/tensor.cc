#include "kernels/tensor.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/convert.h"
#include "kernels/device.h"

namespace tessera::kernels {

TensorView TensorView::Slice(int64_t begin, int64_t end) const {
  CHECK(shape.rank() > 0 && begin >= 0 && begin <= end && end <= shape[0]);
  Shape part = shape;
  part.Set(0, end - begin);
  // Counts the bytes of one entry of the first axis; an empty tensor has none.
  const int64_t entry = shape[0] == 0 ? 0 : bytes() / shape[0];
  // Leaves a view that points nowhere there: it has no place to count from.
  std::byte* const first = static_cast<std::byte*>(data);
  std::byte* const begins = first == nullptr ? nullptr : first + begin * entry;
  return {begins, dtype, part, place};
}

TensorView TensorView::Reshaped(Shape new_shape) const {
  CHECK(new_shape.elements() == shape.elements());
  return {data, dtype, new_shape, place};
}

Tensor::Tensor(void* data, Memory& memory, Shape shape, DType dtype)
    : data_(static_cast<std::byte*>(data),
            Free{&memory, shape.elements() * SizeOf(dtype)}),
      shape_(shape),
      dtype_(dtype) {}

// Relies on the host's memory, which dies rather than fail.
Tensor::Tensor(Shape shape, DType dtype)
    : Tensor(*HostMemory().Allocate(shape.elements() * SizeOf(dtype)),
             HostMemory(), shape, dtype) {}

absl::StatusOr<Tensor> Tensor::Create(Device& device, Shape shape,
                                      DType dtype) {
  ASSIGN_OR_RETURN(void* const data,
                   device.memory().Allocate(shape.elements() * SizeOf(dtype)));
  return Tensor(data, device.memory(), shape, dtype);
}

void Tensor::Free::operator()(std::byte* data) const {
  if (memory != nullptr) memory->Free(data, bytes);
}

// Keeps emptiness: an empty tensor owns no memory and has shape [0].
Tensor Tensor::Clone() const {
  if (empty()) return Tensor();
  CHECK(place() == Place::kHost);
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
  CHECK(source.place == Place::kHost);
  Tensor f32(source.shape, DType::kF32);
  ConvertElements(source.data, source.dtype, f32.f32(), DType::kF32, 0,
                  source.shape.elements());
  return f32;
}

}  // namespace tessera::kernels

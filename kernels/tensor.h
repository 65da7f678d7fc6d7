// Tensors: one type that owns memory and one that borrows it.
#ifndef TESSERA_KERNELS_TENSOR_H_
#define TESSERA_KERNELS_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "kernels/dtype.h"
#include "kernels/memory.h"
#include "kernels/shape.h"

namespace tessera::kernels {

class Device;

// A borrowed, contiguous, row-major array. Copying copies the pointer. The
// memory's owner must outlive every view. While an arena plans, views point
// nowhere: only ops, which then do not run, may be given them.
struct TensorView {
  void* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;
  // Only ops may look at what is not on the host.
  Place place = Place::kHost;

  // Typed access; the dtype must match.
  float* f32() const {
    CHECK(dtype == DType::kF32);
    return static_cast<float*>(data);
  }
  int32_t* i32() const {
    CHECK(dtype == DType::kI32);
    return static_cast<int32_t*>(data);
  }
  uint8_t* u8() const {
    CHECK(dtype == DType::kU8);
    return static_cast<uint8_t*>(data);
  }

  int64_t bytes() const { return shape.elements() * SizeOf(dtype); }

  // Returns entries [begin, end) of the first axis; rank is kept.
  TensorView Slice(int64_t begin, int64_t end) const;

  // Returns the same memory under another shape of equal element count.
  TensorView Reshaped(Shape new_shape) const;
};

// An owned, aligned, contiguous array. Move-only; a moved-from tensor is
// empty. Distinct tensors may be used from distinct threads.
class Tensor {
 public:
  // An empty tensor: no memory, shape [0].
  Tensor() : shape_({0}) {}

  // Allocates zeroed memory of the host. Aborts when there is none left.
  Tensor(Shape shape, DType dtype);

  // Allocates zeroed memory of `device`, which must outlive the tensor. Errors:
  // those of Memory::Allocate.
  static absl::StatusOr<Tensor> Create(Device& device, Shape shape,
                                       DType dtype);

  Tensor(Tensor&&) = default;
  Tensor& operator=(Tensor&&) = default;

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int64_t bytes() const { return shape_.elements() * SizeOf(dtype_); }
  // Says whether there is no memory, as before a value is moved in.
  bool empty() const { return data_ == nullptr; }

  // Borrows the memory; the view must not outlive the tensor.
  TensorView view() const { return {data_.get(), dtype_, shape_, place()}; }

  // The elements, for tensors of DType::kF32.
  float* f32() const { return view().f32(); }

  // Returns a deep copy of a tensor on the host.
  Tensor Clone() const;

 private:
  // Gives memory back to where it came from.
  struct Free {
    Memory* memory;  // null: there is nothing to free
    int64_t bytes;
    void operator()(std::byte* data) const;
  };

  Tensor(void* data, Memory& memory, Shape shape, DType dtype);

  Place place() const {
    const Memory* const memory = data_.get_deleter().memory;
    return memory == nullptr ? Place::kHost : memory->place();
  }

  std::unique_ptr<std::byte[], Free> data_;
  Shape shape_;
  DType dtype_ = DType::kF32;
};

// Returns a copy of a float tensor (f32, f16 or bf16) of the host as f32,
// exact. Errors: INVALID_ARGUMENT when the elements are not floating point.
absl::StatusOr<Tensor> ToF32(const TensorView& source);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_TENSOR_H_

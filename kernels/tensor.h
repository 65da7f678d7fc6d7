// Tensors: one owner of memory, one view of it.
#ifndef TESSERA_KERNELS_TENSOR_H_
#define TESSERA_KERNELS_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/dtype.h"
#include "kernels/shape.h"

namespace tessera::kernels {

// Bytes that every tensor's first element is aligned to: a cache line, and the
// widest vector.
inline constexpr size_t kAlignment = 64;

// Borrows a row-major, contiguous tensor. Cheap to copy; does not keep the
// memory alive. Constness of the view is not constness of the elements.
class TensorView {
 public:
  TensorView() = default;
  TensorView(void* data, DType dtype, const Shape& shape)
      : data_(data), dtype_(dtype), shape_(shape) {}

  void* data() const { return data_; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  bool empty() const { return data_ == nullptr; }
  int64_t bytes() const { return shape_.elements() * SizeOf(dtype_); }

  // Typed pointers; the dtype must match.
  float* f32() const {
    CHECK(dtype_ == DType::kF32);
    return static_cast<float*>(data_);
  }
  int32_t* i32() const {
    CHECK(dtype_ == DType::kI32);
    return static_cast<int32_t*>(data_);
  }
  uint8_t* u8() const {
    CHECK(dtype_ == DType::kU8);
    return static_cast<uint8_t*>(data_);
  }

  // Returns the same elements under `shape`, which has as many.
  TensorView Reshaped(const Shape& shape) const;

  // Returns rows [first, first + count) of the first dimension.
  TensorView Slice(int64_t first, int64_t count) const;

 private:
  void* data_ = nullptr;
  DType dtype_ = DType::kF32;
  Shape shape_;
};

// Owns the memory of a tensor. Move-only.
class Tensor {
 public:
  Tensor() = default;

  // Returns a tensor of unset elements, or of zeros.
  static Tensor Uninitialized(DType dtype, const Shape& shape);
  static Tensor Zeros(DType dtype, const Shape& shape);

  // Returns an f32 tensor with the elements of `view`, which is a float type.
  static Tensor ToF32(const TensorView& view);

  const TensorView& view() const { return view_; }
  operator const TensorView&() const { return view_; }
  const Shape& shape() const { return view_.shape(); }
  float* f32() const { return view_.f32(); }
  bool empty() const { return view_.empty(); }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Free> memory_;
  TensorView view_;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_TENSOR_H_

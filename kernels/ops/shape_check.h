// Shape checks that the ops share.
#ifndef TESSERA_KERNELS_OPS_SHAPE_CHECK_H_
#define TESSERA_KERNELS_OPS_SHAPE_CHECK_H_

#include <optional>

#include "absl/status/status.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Returns OK if `valid`, else INVALID_ARGUMENT "op: arguments do not fit:
// shape …", with the shape of the op's main operand.
absl::Status Check(bool valid, const char* op, const Shape& shape);

// Whether `view` is f32 of exactly `shape`, or f32 of any shape.
inline bool IsF32(const TensorView& view, const Shape& shape) {
  return view.dtype == DType::kF32 && view.shape == shape;
}
inline bool IsF32(const TensorView& view) { return view.dtype == DType::kF32; }

// Whether an optional operand is absent or f32 of exactly `shape`.
inline bool IsF32OrAbsent(const std::optional<TensorView>& view,
                          const Shape& shape) {
  return !view.has_value() || IsF32(*view, shape);
}

// Whether two shapes agree in all axes but the first.
bool SameEntries(const Shape& a, const Shape& b);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_SHAPE_CHECK_H_

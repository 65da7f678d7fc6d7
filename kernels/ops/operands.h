// What an op asks of its operands.
#ifndef TESSERA_KERNELS_OPS_OPERANDS_H_
#define TESSERA_KERNELS_OPS_OPERANDS_H_

#include <optional>

#include "absl/status/status.h"
#include "kernels/packed_weights.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Answers whether operands lie with the stream's device and have a type. Every
// question may be asked of any shape or of one alone.
class Operands {
 public:
  explicit Operands(const Stream& stream);

  // Whether `view` is of the type that the device computes in.
  bool Compute(const TensorView& view) const { return Is(view, compute_); }
  bool Compute(const TensorView& view, const Shape& shape) const {
    return Is(view, compute_) && view.shape == shape;
  }
  // The same of an operand that may be absent.
  bool ComputeOrAbsent(const std::optional<TensorView>& view,
                       const Shape& shape) const {
    return !view.has_value() || Compute(*view, shape);
  }

  // Whether `view` is f32, as parameters and latents are on every device.
  bool F32(const TensorView& view) const { return Is(view, DType::kF32); }
  bool F32(const TensorView& view, const Shape& shape) const {
    return F32(view) && view.shape == shape;
  }
  bool F32OrAbsent(const std::optional<TensorView>& view,
                   const Shape& shape) const {
    return !view.has_value() || F32(*view, shape);
  }

  // Whether `view` lies with the device and has elements of `dtype`.
  bool Is(const TensorView& view, DType dtype) const {
    return view.dtype == dtype && view.place == place_;
  }

  // Whether `weights` were packed for such a device.
  bool Packed(const PackedWeights& weights) const {
    return Is(weights.data(), compute_);
  }

 private:
  DType compute_;
  Place place_;
};

// Returns OK if `valid`, else INVALID_ARGUMENT "op: arguments do not fit:
// shape …", with the shape of the op's main operand.
absl::Status Check(bool valid, const char* op, const Shape& shape);

// Whether two shapes agree in all axes but the first.
bool SameEntries(const Shape& a, const Shape& b);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_OPERANDS_H_

#include "kernels/ops/operands.h"

#include "absl/strings/str_cat.h"
#include "kernels/device.h"

namespace tessera::kernels {

Operands::Operands(const Stream& stream)
    : compute_(stream.device().compute_dtype()),
      place_(stream.device().memory().place()) {}

absl::Status Check(bool valid, const char* op, const Shape& shape) {
  if (valid) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(op, ": arguments do not fit: shape ", shape.ToString()));
}

// Leaves the first axis free: it counts pictures, which ops index by row.
bool SameEntries(const Shape& a, const Shape& b) {
  if (a.rank() == 0 || a.rank() != b.rank()) return false;
  for (int axis = 1; axis < a.rank(); ++axis) {
    if (a[axis] != b[axis]) return false;
  }
  return true;
}

}  // namespace tessera::kernels

#include "kernels/fp8_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/e4m3.h"
#include "kernels/transfer.h"

namespace tessera::kernels {
namespace {

// Rounds one row of `k` weights to `values`; returns its scale. A row of zeros
// has the scale 1.
float RoundRow(const float* row, int64_t k, uint8_t* values) {
  float largest = 0;
  for (int64_t i = 0; i < k; ++i) largest = std::max(largest, std::abs(row[i]));
  const float scale = largest > 0 ? largest / kLargestE4M3 : 1;
  for (int64_t i = 0; i < k; ++i) values[i] = FloatToE4M3(row[i] / scale);
  return scale;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Fp8Matrix>> MakeFp8Matrix(
    Device& device, const TensorView& weights, float largest_input) {
  if (!(largest_input > 0) || !std::isfinite(largest_input)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "fp8: expected a positive largest input, got ", largest_input));
  }
  const int64_t n = weights.shape[0], k = weights.shape[1];
  Fp8Matrix matrix{.input_scale = largest_input / kLargestE4M3};
  Tensor values(Shape{n, k}, DType::kU8);
  Tensor scales(Shape{n}, DType::kF32);
  for (int64_t row = 0; row < n; ++row) {
    scales.f32()[row] =
        matrix.input_scale *
        RoundRow(weights.f32() + row * k, k, values.view().u8() + row * k);
  }
  ASSIGN_OR_RETURN(matrix.values,
                   ToDevice(device, std::move(values), DType::kU8));
  ASSIGN_OR_RETURN(matrix.scales,
                   ToDevice(device, std::move(scales), DType::kF32));
  return std::make_shared<const Fp8Matrix>(std::move(matrix));
}

}  // namespace tessera::kernels

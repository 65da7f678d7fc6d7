// Weight matrices in the order in which the micro-kernel reads them.
#ifndef TESSERA_KERNELS_PACKED_WEIGHTS_H_
#define TESSERA_KERNELS_PACKED_WEIGHTS_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// An f32 matrix [n outputs, k inputs] stored as panels of 16 outputs, each
// panel k rows of 16 floats, the last panel padded with zeros. One layout
// serves every vector width. A convolution's k runs over (ky, kx, cin).
// Immutable once packed: share it freely between threads.
class PackedWeights {
 public:
  static constexpr int64_t kPanelColumns = 16;

  PackedWeights() = default;
  PackedWeights(Tensor panels, int64_t n, int64_t k, int64_t kernel_h,
                int64_t kernel_w)
      : panels_(std::move(panels)),
        n_(n),
        k_(k),
        kernel_h_(kernel_h),
        kernel_w_(kernel_w) {}

  const float* panels() const { return panels_.f32(); }
  int64_t n() const { return n_; }
  int64_t k() const { return k_; }
  int64_t panel_count() const {
    return (n_ + kPanelColumns - 1) / kPanelColumns;
  }

  // A linear layer is a 1x1 convolution.
  int64_t kernel_h() const { return kernel_h_; }
  int64_t kernel_w() const { return kernel_w_; }
  int64_t input_channels() const { return k_ / (kernel_h_ * kernel_w_); }

  int64_t bytes() const { return panels_.bytes(); }

 private:
  Tensor panels_;
  int64_t n_ = 0;
  int64_t k_ = 0;
  int64_t kernel_h_ = 1;
  int64_t kernel_w_ = 1;
};

// Packs a linear layer's weights [n, k] of any float dtype.
// Errors: INVALID_ARGUMENT for another rank or dtype, or an empty matrix.
absl::StatusOr<PackedWeights> PackGemmWeights(Device& device,
                                              const TensorView& weights);

// Packs a convolution's weights [cout, cin, kh, kw] (the checkpoint's order)
// of any float dtype. Errors as above.
absl::StatusOr<PackedWeights> PackConvWeights(Device& device,
                                              const TensorView& weights);

// Returns what was packed, bit for bit, as f32 [n, channels, kernel_h,
// kernel_w] in the checkpoint's order.
Tensor UnpackWeights(const PackedWeights& weights);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_PACKED_WEIGHTS_H_

// Weight matrices in the order in which a backend reads them.
#ifndef TESSERA_KERNELS_PACKED_WEIGHTS_H_
#define TESSERA_KERNELS_PACKED_WEIGHTS_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

struct Fp8Matrix;

// A matrix as a backend is given it to pack.
struct WeightMatrix {
  const void* values = nullptr;  // [n, channels, kernel_h, kernel_w], host
  DType dtype = DType::kF32;     // any float type; no alignment is needed
  int64_t n = 0;                 // outputs
  int64_t channels = 0;          // inputs
  int64_t kernel_h = 1;          // a linear layer is a 1x1 convolution
  int64_t kernel_w = 1;

  int64_t taps() const { return kernel_h * kernel_w; }
  int64_t k() const { return channels * taps(); }

  // Widens `count` elements from the `first` on into `out`, in their order.
  void Read(int64_t first, int64_t count, float* out) const;
};

// A matrix [n outputs, k inputs] in a device's memory, laid out by its
// backend; a convolution's k runs over (ky, kx, cin):
//
// - the CPU reads f32 panels of 16 outputs, each panel k rows of 16 floats, the
//   last panel padded with zeros: one layout for every vector width;
// - other backends read rows [n, k] in the type that they compute in.
//
// Immutable once packed: share it freely between threads.
class PackedWeights {
 public:
  static constexpr int64_t kPanelColumns = 16;

  PackedWeights() = default;
  // Takes over what `device`, which must outlive this, packed of `matrix`.
  PackedWeights(Device& device, Tensor data, const WeightMatrix& matrix)
      : device_(&device),
        data_(std::move(data)),
        n_(matrix.n),
        k_(matrix.k()),
        kernel_h_(matrix.kernel_h),
        kernel_w_(matrix.kernel_w) {}

  // Where they were packed; not of an empty one.
  Device& device() const { return *device_; }
  // The elements in the backend's layout.
  TensorView data() const { return data_.view(); }
  // The CPU's layout.
  const float* panels() const { return data_.f32(); }
  int64_t n() const { return n_; }
  int64_t k() const { return k_; }
  int64_t panel_count() const {
    return (n_ + kPanelColumns - 1) / kPanelColumns;
  }

  // A linear layer is a 1x1 convolution.
  int64_t kernel_h() const { return kernel_h_; }
  int64_t kernel_w() const { return kernel_w_; }
  int64_t input_channels() const { return k_ / (kernel_h_ * kernel_w_); }

  int64_t bytes() const { return data_.bytes(); }

  // The same matrix in 8 bits, which a backend may multiply instead; null:
  // there is none.
  const Fp8Matrix* fp8() const { return fp8_.get(); }
  void set_fp8(std::shared_ptr<const Fp8Matrix> fp8) { fp8_ = std::move(fp8); }

 private:
  Device* device_ = nullptr;
  Tensor data_;
  int64_t n_ = 0;
  int64_t k_ = 0;
  int64_t kernel_h_ = 1;
  int64_t kernel_w_ = 1;
  std::shared_ptr<const Fp8Matrix> fp8_;
};

// Packs a linear layer's weights [n, k] of any float dtype, on the host; no
// alignment is needed. Errors: INVALID_ARGUMENT for another rank or dtype, or
// an empty matrix; those of the device's memory.
absl::StatusOr<PackedWeights> PackGemmWeights(Device& device,
                                              const TensorView& weights);

// Packs a convolution's weights [cout, cin, kh, kw] (the checkpoint's order)
// of any float dtype, on the host. Errors as above.
absl::StatusOr<PackedWeights> PackConvWeights(Device& device,
                                              const TensorView& weights);

// Returns what was packed as f32 [n, channels, kernel_h, kernel_w] in the
// checkpoint's order, on the host: bit for bit, or rounded to the type that
// the device computes in. Errors: what is wrong with the device.
absl::StatusOr<Tensor> UnpackWeights(const PackedWeights& weights);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_PACKED_WEIGHTS_H_

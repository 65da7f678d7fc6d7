// Low-rank adapters: LoRA of linear layers, LoCon of convolutions.
#ifndef TESSERA_WORKER_LORA_LOW_RANK_H_
#define TESSERA_WORKER_LORA_LOW_RANK_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/lora/difference.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {

// What one layer holds of ΔW = alpha / rank · up · down (Hu et al. 2021,
// section 4.1), checked. Of a convolution, down has the layer's kernel and up
// is 1x1. Borrows the file, so that a layer that is only packed is not copied
// first; elements are of the file's float type. Move-only.
struct LowRankFactors {
  kernels::TensorView down;  // [rank, in, k, k]
  kernels::TensorView up;    // [out, rank]
  double scale = 1;          // alpha / rank
  // With `lora_mid`, a core [rank, rank, k, k] between two 1x1 convolutions
  // (LyCORIS' Tucker decomposition): the memory of down, which is the core
  // multiplied by the file's down once and for all. Otherwise empty.
  kernels::Tensor folded;

  int64_t lora_rank() const { return down.shape[0]; }
  MatrixShape shape() const;
};

// Reads the parts of a layer. Errors: INVALID_ARGUMENT for one half without the
// other, ranks that disagree, shapes that are no such factors, alpha 0, and
// values that are not finite.
absl::StatusOr<LowRankFactors> ReadLowRank(const LayerParts& layer);

// The difference itself, for layers that are merged.
class LowRank final : public Difference {
 public:
  // Copies factors that ReadLowRank returned.
  explicit LowRank(const LowRankFactors& factors);

  MatrixShape shape() const override { return shape_; }
  void AddTo(double strength, std::span<double> sum) const override;
  int64_t bytes() const override { return down_.bytes() + up_.bytes(); }

 private:
  const MatrixShape shape_;
  const kernels::Tensor down_;  // f32 [rank, in, k, k]
  const kernels::Tensor up_;    // f32 [out, rank]
  const double scale_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LOW_RANK_H_

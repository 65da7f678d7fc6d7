// Low-rank adapters: LoRA of linear layers, LoCon of convolutions.
#ifndef TESSERA_WORKER_LORA_LOW_RANK_H_
#define TESSERA_WORKER_LORA_LOW_RANK_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/lora/difference.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {

// ΔW = alpha / rank · up · down (Hu et al. 2021, section 4.1). Of a
// convolution, down has the layer's kernel and up is 1x1. With `lora_mid`, a
// core [rank, rank, kernel, kernel] between two 1x1 convolutions (LyCORIS'
// Tucker decomposition), down is the core multiplied by it once and for all.
class LowRank final : public Difference {
 public:
  // Reads the parts of a layer. Errors: INVALID_ARGUMENT for one half without
  // the other, ranks that disagree, shapes that are no such factors, alpha 0,
  // and values that are not finite.
  static absl::StatusOr<std::unique_ptr<const LowRank>> Read(
      const LayerParts& layer);

  const kernels::Tensor& down() const { return down_; }  // [rank, in, k, k]
  const kernels::Tensor& up() const { return up_; }      // [out, rank]
  double scale() const { return scale_; }                // alpha / rank
  bool has_core() const { return has_core_; }

  MatrixShape shape() const override;
  void AddTo(double strength, std::span<double> sum) const override;
  int64_t bytes() const override { return down_.bytes() + up_.bytes(); }

 private:
  LowRank(kernels::Tensor down, kernels::Tensor up, double scale,
          bool has_core);

  const kernels::Tensor down_;
  const kernels::Tensor up_;
  const double scale_;
  const bool has_core_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LOW_RANK_H_

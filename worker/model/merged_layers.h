// Weights of a net with adapters merged in.
#ifndef TESSERA_WORKER_MODEL_MERGED_LAYERS_H_
#define TESSERA_WORKER_MODEL_MERGED_LAYERS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "kernels/packed_weights.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_weights.h"
#include "worker/model/layer_table.h"
#include "worker/model/pass.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// What stands for the model's own weights in one slot of a layer table. What
// is absent did not change.
struct MergedLayer {
  std::optional<kernels::PackedWeights> matrix;
  std::optional<kernels::Tensor> gain;
  std::optional<kernels::Tensor> bias;

  int64_t bytes() const;
};

// The changed weights of one net under one adapter set. Immutable;
// thread-safe.
class MergedLayers {
 public:
  // Adds all that `adapters`, in canonical order and checked by CheckAdapter,
  // change in `net` to copies of the pristine weights, in double precision,
  // and rounds once. Errors: those of the device.
  static absl::StatusOr<MergedLayers> Merge(
      AdapterNet net, const LayerTable& table,
      const std::vector<AdapterUse>& adapters, kernels::Device& device);

  // Returns what changed in a slot, or null.
  const MergedLayer* Find(int slot) const {
    return by_slot_[static_cast<size_t>(slot)].get();
  }

  int64_t bytes() const { return bytes_; }

 private:
  std::vector<std::unique_ptr<const MergedLayer>> by_slot_;
  int64_t bytes_ = 0;
};

// The weights that a layer runs by in this pass: its own, or merged ones.
class WeightsInPass {
 public:
  WeightsInPass(const Pass& pass, int slot, const LayerWeights& own);

  const kernels::PackedWeights& matrix() const { return *matrix_; }
  const kernels::Tensor& gain() const { return *gain_; }
  const kernels::Tensor* bias() const { return bias_; }  // null: none

 private:
  const kernels::PackedWeights* matrix_;
  const kernels::Tensor* gain_;
  const kernels::Tensor* bias_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_MERGED_LAYERS_H_

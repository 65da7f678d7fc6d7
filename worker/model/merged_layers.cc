#include "worker/model/merged_layers.h"

#include <map>
#include <span>
#include <utility>

#include "common/status_macros.h"
#include "kernels/transfer.h"
#include "worker/model/low_rank_change.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::PackedWeights;
using kernels::Shape;
using kernels::Tensor;

// A tensor of the model and what was added to it so far.
class Sum {
 public:
  explicit Sum(Tensor pristine)
      : pristine_(std::move(pristine)),
        sum_(static_cast<size_t>(pristine_.shape().elements())) {}

  // Adds a change of elements [begin, begin + count).
  void Add(const WeightChange& change, double strength, int64_t begin,
           int64_t count) {
    change.AddTo(Values().subspan(begin, count), strength, Part(begin, count));
  }

  // Returns elements [begin, begin + count) of what is added.
  std::span<double> Part(int64_t begin, int64_t count) {
    return std::span<double>(sum_).subspan(static_cast<size_t>(begin),
                                           static_cast<size_t>(count));
  }

  // Returns the changed tensor, each element rounded once.
  Tensor Merged() const {
    Tensor merged(pristine_.shape(), DType::kF32);
    for (size_t i = 0; i < sum_.size(); ++i) {
      merged.f32()[i] =
          static_cast<float>(static_cast<double>(Values()[i]) + sum_[i]);
    }
    return merged;
  }

 private:
  std::span<const float> Values() const {
    return {pristine_.f32(), sum_.size()};
  }

  Tensor pristine_;
  std::vector<double> sum_;
};

// The tensors of one slot that change.
struct SlotSums {
  std::optional<Sum> weight;  // a matrix in the checkpoint's order, or a gain
  std::optional<Sum> bias;
};

// Collects what a set changes, slot by slot. Only tensors that change are
// unpacked.
class Collector {
 public:
  Collector(const LayerTable& table, kernels::Device& device)
      : table_(table), device_(device) {}

  absl::Status Add(const AdapterLayer& layer, double strength) {
    const LayerInfo& info = Info(layer.name);
    const int64_t size = info.inputs * info.kernel * info.kernel;
    ASSIGN_OR_RETURN(Sum* const sum, Weight(info));
    return AddLowRank(layer, strength,
                      sum->Part(info.first_output * size, info.outputs * size));
  }

  absl::Status Add(const LayerChange& change, double strength) {
    const LayerInfo& info = Info(change.name);
    if (change.tensor == LayerTensor::kBias) {
      ASSIGN_OR_RETURN(Sum* const sum, Bias(info));
      sum->Add(*change.change, strength, info.first_output, info.outputs);
      return absl::OkStatus();
    }
    const int64_t size =
        info.is_norm() ? 1 : info.inputs * info.kernel * info.kernel;
    ASSIGN_OR_RETURN(Sum* const sum, Weight(info));
    sum->Add(*change.change, strength, info.first_output * size,
             info.outputs * size);
    return absl::OkStatus();
  }

  std::map<int, SlotSums>& sums() { return sums_; }

 private:
  const LayerInfo& Info(const std::string& name) const {
    return table_.layers()[static_cast<size_t>(table_.Find(name))];
  }

  const LayerWeights& Own(const LayerInfo& info) const {
    return table_.weights()[static_cast<size_t>(info.slot)];
  }

  absl::StatusOr<Sum*> Weight(const LayerInfo& info) {
    std::optional<Sum>& sum = sums_[info.slot].weight;
    if (!sum.has_value()) {
      const LayerWeights& own = Own(info);
      ASSIGN_OR_RETURN(Tensor pristine,
                       info.is_norm()
                           ? kernels::ToHost(device_, own.gain->view())
                           : kernels::UnpackWeights(*own.matrix));
      sum.emplace(std::move(pristine));
    }
    return &*sum;
  }

  absl::StatusOr<Sum*> Bias(const LayerInfo& info) {
    std::optional<Sum>& sum = sums_[info.slot].bias;
    if (!sum.has_value()) {
      ASSIGN_OR_RETURN(Tensor pristine,
                       kernels::ToHost(device_, Own(info).bias->view()));
      sum.emplace(std::move(pristine));
    }
    return &*sum;
  }

  const LayerTable& table_;
  kernels::Device& device_;
  std::map<int, SlotSums> sums_;
};

// Packs the changed tensors of a slot as the model's own are.
absl::StatusOr<MergedLayer> Finish(const SlotSums& sums,
                                   const LayerWeights& own,
                                   kernels::Device& device) {
  MergedLayer merged;
  if (sums.weight.has_value()) {
    Tensor weight = sums.weight->Merged();
    if (own.matrix != nullptr) {
      ASSIGN_OR_RETURN(merged.matrix,
                       kernels::PackConvWeights(device, weight.view()));
    } else {
      ASSIGN_OR_RETURN(merged.gain, kernels::ToDevice(device, std::move(weight),
                                                      DType::kF32));
    }
  }
  if (sums.bias.has_value()) {
    // Is f32 of a norm, and of other layers what the device computes in.
    ASSIGN_OR_RETURN(merged.bias, kernels::ToDevice(device, sums.bias->Merged(),
                                                    own.bias->dtype()));
  }
  return merged;
}

}  // namespace

int64_t MergedLayer::bytes() const {
  return (matrix.has_value() ? matrix->bytes() : 0) +
         (gain.has_value() ? gain->bytes() : 0) +
         (bias.has_value() ? bias->bytes() : 0);
}

absl::StatusOr<MergedLayers> MergedLayers::Merge(
    AdapterNet net, const LayerTable& table,
    const std::vector<AdapterUse>& adapters, kernels::Device& device) {
  Collector collector(table, device);
  for (const AdapterUse& use : adapters) {
    for (const AdapterLayer& layer : use.weights->layers) {
      if (layer.net != net || table.Find(layer.name) < 0) continue;
      RETURN_IF_ERROR(collector.Add(layer, use.scale));
    }
    for (const LayerChange& change : use.weights->changes) {
      if (change.net != net || table.Find(change.name) < 0) continue;
      RETURN_IF_ERROR(collector.Add(change, use.scale));
    }
  }
  MergedLayers merged;
  merged.by_slot_.resize(table.weights().size());
  for (const auto& [slot, sums] : collector.sums()) {
    const auto index = static_cast<size_t>(slot);
    ASSIGN_OR_RETURN(MergedLayer layer,
                     Finish(sums, table.weights()[index], device));
    merged.bytes_ += layer.bytes();
    merged.by_slot_[index] =
        std::make_unique<const MergedLayer>(std::move(layer));
  }
  return merged;
}

WeightsInPass::WeightsInPass(const Pass& pass, int slot,
                             const LayerWeights& own)
    : matrix_(own.matrix.get()), gain_(own.gain.get()), bias_(own.bias.get()) {
  const MergedLayer* const merged =
      pass.merged == nullptr ? nullptr : pass.merged->Find(slot);
  if (merged == nullptr) return;
  if (merged->matrix.has_value()) matrix_ = &*merged->matrix;
  if (merged->gain.has_value()) gain_ = &*merged->gain;
  if (merged->bias.has_value()) bias_ = &*merged->bias;
}

}  // namespace tessera::model

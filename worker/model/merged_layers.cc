#include "worker/model/merged_layers.h"

#include <map>
#include <span>
#include <utility>

#include "common/status_macros.h"
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
  explicit Collector(const LayerTable& table) : table_(table) {}

  void Add(const AdapterLayer& layer, double strength) {
    const LayerInfo& info = Info(layer.name);
    const int64_t size = info.inputs * info.kernel * info.kernel;
    AddLowRank(
        layer, strength,
        Weight(info).Part(info.first_output * size, info.outputs * size));
  }

  void Add(const LayerChange& change, double strength) {
    const LayerInfo& info = Info(change.name);
    if (change.tensor == LayerTensor::kBias) {
      Bias(info).Add(*change.change, strength, info.first_output, info.outputs);
      return;
    }
    const int64_t size =
        info.is_norm() ? 1 : info.inputs * info.kernel * info.kernel;
    Weight(info).Add(*change.change, strength, info.first_output * size,
                     info.outputs * size);
  }

  std::map<int, SlotSums>& sums() { return sums_; }

 private:
  const LayerInfo& Info(const std::string& name) const {
    return table_.layers()[static_cast<size_t>(table_.Find(name))];
  }

  const LayerWeights& Own(const LayerInfo& info) const {
    return table_.weights()[static_cast<size_t>(info.slot)];
  }

  Sum& Weight(const LayerInfo& info) {
    std::optional<Sum>& sum = sums_[info.slot].weight;
    if (!sum.has_value()) {
      const LayerWeights& own = Own(info);
      sum.emplace(info.is_norm() ? own.gain->Clone()
                                 : kernels::UnpackWeights(*own.matrix));
    }
    return *sum;
  }

  Sum& Bias(const LayerInfo& info) {
    std::optional<Sum>& sum = sums_[info.slot].bias;
    if (!sum.has_value()) sum.emplace(Own(info).bias->Clone());
    return *sum;
  }

  const LayerTable& table_;
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
      merged.gain = std::move(weight);
    }
  }
  if (sums.bias.has_value()) merged.bias = sums.bias->Merged();
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
  Collector collector(table);
  for (const AdapterUse& use : adapters) {
    for (const AdapterLayer& layer : use.weights->layers) {
      if (layer.net == net) collector.Add(layer, use.scale);
    }
    for (const LayerChange& change : use.weights->changes) {
      if (change.net == net) collector.Add(change, use.scale);
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

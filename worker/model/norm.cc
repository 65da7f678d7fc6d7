#include "worker/model/norm.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/ops/group_norm.h"
#include "kernels/ops/layer_norm.h"
#include "kernels/transfer.h"
#include "worker/model/merged_layers.h"

namespace tessera::model {

using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

namespace {

// Reads gain and shift of a norm, [channels] each.
absl::StatusOr<LayerWeights> ReadNorm(const LayerSource& source,
                                      const std::string& name,
                                      int64_t channels) {
  const auto read = [&](const char* part) -> absl::StatusOr<Tensor> {
    ASSIGN_OR_RETURN(Tensor values,
                     source.reader.Read(name + part, Shape{channels}));
    return kernels::ToDevice(source.device, std::move(values),
                             kernels::DType::kF32);
  };
  ASSIGN_OR_RETURN(Tensor gain, read(".weight"));
  ASSIGN_OR_RETURN(Tensor bias, read(".bias"));
  return LayerWeights{.gain = std::make_shared<const Tensor>(std::move(gain)),
                      .bias = std::make_shared<const Tensor>(std::move(bias))};
}

// Makes a norm known to adapters; returns the slot of its weights.
int AddNorm(const LayerSource& source, const std::string& name,
            int64_t channels, const LayerWeights& weights) {
  const int slot = source.table.AddWeights(weights);
  source.table.Add({.name = name, .outputs = channels, .slot = slot});
  return slot;
}

}  // namespace

absl::StatusOr<GroupNorm> GroupNorm::Load(const LayerSource& source,
                                          const std::string& name,
                                          int64_t channels, int64_t groups,
                                          float epsilon) {
  if (groups < 1 || channels % groups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("norm groups do not divide the channels: ", name, ": ",
                     groups, " groups, ", channels, " channels"));
  }
  GroupNorm norm;
  ASSIGN_OR_RETURN(norm.weights_, ReadNorm(source, name, channels));
  norm.slot_ = AddNorm(source, name, channels, norm.weights_);
  norm.groups_ = groups;
  norm.epsilon_ = epsilon;
  return norm;
}

void GroupNorm::Forward(const Pass& pass, const TensorView& x,
                        const TensorView& out, bool silu) const {
  const WeightsInPass weights(pass, slot_, weights_);
  kernels::GroupNorm(pass.stream, {.input = x,
                                   .groups = groups_,
                                   .eps = epsilon_,
                                   .weight = weights.gain().view(),
                                   .bias = weights.bias()->view(),
                                   .silu = silu,
                                   .out = out});
}

absl::StatusOr<LayerNorm> LayerNorm::Load(const LayerSource& source,
                                          const std::string& name,
                                          int64_t channels, float epsilon) {
  LayerNorm norm;
  ASSIGN_OR_RETURN(norm.weights_, ReadNorm(source, name, channels));
  norm.slot_ = AddNorm(source, name, channels, norm.weights_);
  norm.epsilon_ = epsilon;
  return norm;
}

// Normalises over channels, for every token on its own.
void LayerNorm::Forward(const Pass& pass, const TensorView& x,
                        const TensorView& out) const {
  const WeightsInPass weights(pass, slot_, weights_);
  kernels::LayerNorm(pass.stream, {.input = x,
                                   .eps = epsilon_,
                                   .weight = weights.gain().view(),
                                   .bias = weights.bias()->view(),
                                   .out = out});
}

}  // namespace tessera::model

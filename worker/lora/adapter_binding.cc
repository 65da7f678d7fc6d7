#include "worker/lora/adapter_binding.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;
using model::LayerTensor;

// The largest rank that kernels/ops/lora_gemm.h takes; beyond, the adapter is
// merged like those that are not low-rank.
constexpr int64_t kMaxRank = 1024;

// Names a net for people.
std::string NetName(AdapterNet net) {
  switch (net) {
    case AdapterNet::kUNet:
      return "UNet";
    case AdapterNet::kTextEncoder:
      return "text encoder";
    case AdapterNet::kTextEncoder2:
      return "second text encoder";
  }
  return "";
}

// Says why a difference does not fit a layer; empty when it fits.
std::string Misfit(const ModelLayer& place, const LayerAdapter& adapter) {
  if (!adapter.changes_weight()) return "";
  // Leaves full differences to the shapes alone; they may be of any layer.
  if ((adapter.kind == AdapterKind::kNorm) != place.is_norm() &&
      adapter.kind != AdapterKind::kFull) {
    return place.is_norm() ? "the model's layer is a norm"
                           : "the model's layer is no norm";
  }
  // Compares kernels axis by axis where the factors have them: 9x1 is not 3x3.
  const MatrixShape shape = adapter.shape();
  const MatrixShape wanted{.rows = place.outputs,
                           .columns = place.columns(),
                           .kernel = {place.kernel_h, place.kernel_w}};
  const bool same_kernel =
      shape.kernel == Kernel{} || shape.kernel == wanted.kernel;
  if (shape.rows == wanted.rows && shape.columns == wanted.columns &&
      same_kernel) {
    return "";
  }
  return absl::StrCat("shape ", shape.ToString(), ", the model has ",
                      wanted.ToString());
}

// Says why magnitudes do not fit a layer; empty when they fit.
std::string MagnitudeMisfit(const ModelLayer& place,
                            const Magnitude& magnitude) {
  const int64_t found = magnitude.values.shape().elements();
  const int64_t wanted = magnitude.by_input ? place.inputs : place.outputs;
  if (found == wanted) return "";
  return absl::StrCat(found, " magnitudes of DoRA, the model has ", wanted,
                      magnitude.by_input ? " inputs" : " outputs");
}

}  // namespace

AdapterBinding::AdapterBinding(const ModelLayers& model, int64_t max_bytes,
                               kernels::Device& device)
    : model_(model), max_bytes_(max_bytes), device_(device) {}

absl::Status AdapterBinding::Add(const LayerParts& layer) {
  // Reads before it looks for the place: damage is an error in any model.
  ASSIGN_OR_RETURN(LayerAdapter adapter, ReadLayerAdapter(layer));
  evidence_.Add(layer, adapter);
  report_.keys += static_cast<int64_t>(layer.parts.size());
  const ModelLayer* const place = model_.Find(layer.net, layer.layer);
  if (place == nullptr) {
    Refuse(layer, "the model has no such layer");
    return absl::OkStatus();
  }
  // Refuses a layer as a whole: half of it would be another adapter.
  std::string why = Misfit(*place, adapter);
  if (why.empty() && adapter.magnitude.has_value()) {
    why = MagnitudeMisfit(*place, *adapter.magnitude);
  }
  if (!why.empty()) {
    Refuse(layer, why);
    return absl::OkStatus();
  }
  // Finds what grouping by name cannot: one place under two block namings.
  const auto [other, added] = bound_.emplace(place, layer.layer);
  if (!added) {
    return absl::InvalidArgumentError(absl::StrCat(
        "two names of the same layer: ", other->second, " and ", layer.layer));
  }
  report_.matched_keys += static_cast<int64_t>(layer.parts.size());
  RETURN_IF_ERROR(AddBias(layer, *place, adapter));
  std::string kind(KindName(adapter.kind));
  if (adapter.magnitude.has_value()) kind += " with DoRA";
  // Counts a layer once, whether weight, bias or both change.
  ++report_.layers_by_kind[kind];
  ++report_.layers_by_net[NetName(place->net)];
  return AddWeight(*place, std::move(adapter));
}

// Refuses the bias alone where only it has no place; the weight may fit.
absl::Status AdapterBinding::AddBias(const LayerParts& layer,
                                     const ModelLayer& place,
                                     LayerAdapter& adapter) {
  if (adapter.bias == nullptr) return absl::OkStatus();
  const MatrixShape shape = adapter.bias->shape();
  const int64_t elements = shape.rows * shape.columns;
  if (!place.has_bias || elements != place.outputs) {
    const Part part =
        layer.Has(Part::kDiffBias) ? Part::kDiffBias : Part::kNormBias;
    --report_.matched_keys;
    report_.unmatched.push_back(
        {layer.parts.at(part).key,
         place.has_bias ? absl::StrCat("shape ", elements, ", the model has ",
                                       place.outputs)
                        : "the model's layer has no bias"});
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(CountBytes(adapter.bias->bytes()));
  weights_.changes.push_back({.net = place.net,
                              .name = place.name,
                              .tensor = LayerTensor::kBias,
                              .change = AsChange(std::move(adapter.bias))});
  return absl::OkStatus();
}

// Chooses between rows of the batch and a change of the weights.
absl::Status AdapterBinding::AddWeight(const ModelLayer& place,
                                       LayerAdapter adapter) {
  if (!adapter.changes_weight()) return absl::OkStatus();
  if (adapter.low_rank.has_value() && !adapter.magnitude.has_value() &&
      adapter.low_rank->lora_rank() <= kMaxRank) {
    return AddLowRank(place, *adapter.low_rank);
  }
  // Hands the factors over; none of them is needed for anything else.
  std::unique_ptr<const Difference> difference = std::move(adapter.other);
  if (adapter.low_rank.has_value()) {
    difference = std::make_unique<const LowRank>(*adapter.low_rank);
  }
  auto change = adapter.magnitude.has_value()
                    ? MakeDora(std::move(difference),
                               *std::move(adapter.magnitude), place.window())
                    : AsChange(std::move(difference));
  RETURN_IF_ERROR(CountBytes(change->bytes()));
  weights_.changes.push_back({.net = place.net,
                              .name = place.name,
                              .tensor = LayerTensor::kWeight,
                              .change = std::move(change)});
  return absl::OkStatus();
}

absl::Status AdapterBinding::AddLowRank(const ModelLayer& place,
                                        const LowRankFactors& factors) {
  model::AdapterLayer layer{.net = place.net,
                            .name = place.name,
                            .scale = static_cast<float>(factors.scale)};
  ASSIGN_OR_RETURN(layer.down, kernels::PackConvWeights(device_, factors.down));
  ASSIGN_OR_RETURN(layer.up, kernels::PackGemmWeights(device_, factors.up));
  // Counts the panels, which are larger than the factors of a low rank.
  RETURN_IF_ERROR(CountBytes(layer.down.bytes() + layer.up.bytes()));
  weights_.layers.push_back(std::move(layer));
  return absl::OkStatus();
}

// Stops at the first layer beyond the bound, so that memory is bounded too.
absl::Status AdapterBinding::CountBytes(int64_t bytes) {
  report_.bytes += bytes;
  if (max_bytes_ == 0 || report_.bytes <= max_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "adapter larger than the budget: more than ", max_bytes_, " bytes"));
}

// Lists every key of the layer: a user looks for the key, not the layer.
void AdapterBinding::Refuse(const LayerParts& layer, const std::string& why) {
  for (const auto& [part, tensor] : layer.parts) {
    report_.unmatched.push_back({tensor.key, why});
  }
}

void AdapterBinding::AddUnknown(const std::string& key) {
  ++report_.keys;
  report_.unmatched.push_back({key, "a key of no known dialect"});
}

// Sorts by what the model calls the layers: the dialect leaves no trace.
model::AdapterWeights AdapterBinding::TakeWeights() {
  const auto by_name = [](const auto& a, const auto& b) {
    return std::tie(a.net, a.name) < std::tie(b.net, b.name);
  };
  std::sort(weights_.layers.begin(), weights_.layers.end(), by_name);
  std::sort(weights_.changes.begin(), weights_.changes.end(),
            [](const model::LayerChange& a, const model::LayerChange& b) {
              return std::tie(a.net, a.name, a.tensor) <
                     std::tie(b.net, b.name, b.tensor);
            });
  return std::move(weights_);
}

AdapterReport AdapterBinding::TakeReport() {
  report_.base_mismatch = evidence_.MismatchWith(model_);
  return std::move(report_);
}

}  // namespace tessera::lora

#include "worker/model/layer_table.h"

#include <utility>

namespace tessera::model {
namespace {

// Some exporters of text encoders write this before every name, others and
// some LoRAs do not: names are compared without it.
constexpr std::string_view kOptionalPrefix = "text_model.";

// Returns the name under which a layer is looked up.
std::string Canonical(std::string_view name) {
  if (name.starts_with(kOptionalPrefix)) {
    name.remove_prefix(kOptionalPrefix.size());
  }
  return std::string(name);
}

}  // namespace

int LayerTable::AddWeights(LayerWeights weights) {
  weights_.push_back(std::move(weights));
  return static_cast<int>(weights_.size()) - 1;
}

int LayerTable::Add(LayerInfo layer) {
  const int number = static_cast<int>(layers_.size());
  numbers_[Canonical(layer.name)] = number;
  layers_.push_back(std::move(layer));
  return number;
}

int LayerTable::Find(std::string_view name) const {
  const auto found = numbers_.find(Canonical(name));
  return found == numbers_.end() ? -1 : found->second;
}

}  // namespace tessera::model

#include "worker/model/layer_table.h"

#include <utility>

namespace tessera::model {

int LayerTable::Add(LayerInfo layer) {
  const int number = static_cast<int>(layers_.size());
  numbers_[layer.name] = number;
  layers_.push_back(std::move(layer));
  return number;
}

void LayerTable::AddAlias(const std::string& name, int number) {
  numbers_[name] = number;
}

int LayerTable::Find(std::string_view name) const {
  const auto found = numbers_.find(std::string(name));
  return found == numbers_.end() ? -1 : found->second;
}

}  // namespace tessera::model

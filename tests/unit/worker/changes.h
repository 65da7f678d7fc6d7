// Adapters that are not low-rank, for tests.
#ifndef TESSERA_TESTS_UNIT_WORKER_CHANGES_H_
#define TESSERA_TESTS_UNIT_WORKER_CHANGES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "worker/model/adapter_weights.h"

namespace tessera::model {

// Adds a constant to every element.
class ConstantChange final : public WeightChange {
 public:
  ConstantChange(int64_t elements, double value)
      : elements_(elements), value_(value) {}

  void AddTo(std::span<const float>, double strength,
             std::span<double> sum) const override {
    for (double& element : sum) element += strength * value_;
  }
  int64_t elements() const override { return elements_; }
  int64_t bytes() const override { return 8; }

 private:
  int64_t elements_;
  double value_;
};

// Adds the pristine weights once more.
class DoubledWeights final : public WeightChange {
 public:
  explicit DoubledWeights(int64_t elements) : elements_(elements) {}

  void AddTo(std::span<const float> pristine, double strength,
             std::span<double> sum) const override {
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] += strength * static_cast<double>(pristine[i]);
    }
  }
  int64_t elements() const override { return elements_; }
  int64_t bytes() const override { return 0; }

 private:
  int64_t elements_;
};

// A constant added to a tensor of a layer of the UNet.
struct Change {
  std::string layer;
  LayerTensor tensor = LayerTensor::kWeight;
  int64_t elements = 0;
  double value = 0;
};

// Returns an adapter of such changes.
inline std::shared_ptr<const AdapterWeights> Changes(
    const std::string& digest, const std::vector<Change>& changes) {
  auto weights = std::make_shared<AdapterWeights>();
  weights->name = weights->digest = digest;
  for (const Change& change : changes) {
    weights->changes.push_back({.name = change.layer,
                                .tensor = change.tensor,
                                .change = std::make_shared<ConstantChange>(
                                    change.elements, change.value)});
  }
  return weights;
}

}  // namespace tessera::model

#endif  // TESSERA_TESTS_UNIT_WORKER_CHANGES_H_

#include "worker/lora/dora.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/factor.h"

namespace tessera::lora {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;

// Rescales W + s ΔW to its magnitudes.
class DoraChange final : public model::WeightChange {
 public:
  DoraChange(std::unique_ptr<const Difference> difference, Magnitude magnitude,
             int64_t window)
      : difference_(std::move(difference)),
        magnitude_(std::move(magnitude)),
        window_(window) {}

  void AddTo(std::span<const float> pristine, double strength,
             std::span<double> sum) const override {
    // Keeps the plain picture plain, where PEFT would still apply m / ‖W‖.
    if (strength == 0) return;
    // Computes W + s ΔW first: the norm is of the moved weights.
    std::vector<double> moved(pristine.begin(), pristine.end());
    difference_->AddTo(strength, moved);
    const std::vector<double> factors = Factors(moved);
    for (size_t i = 0; i < moved.size(); ++i) {
      sum[i] +=
          factors[GroupOf(i)] * moved[i] - static_cast<double>(pristine[i]);
    }
  }

  int64_t elements() const override {
    return difference_->shape().rows * difference_->shape().columns;
  }

  int64_t bytes() const override {
    return difference_->bytes() + magnitude_.values.bytes();
  }

 private:
  // Returns the output, or the input, that an element belongs to.
  size_t GroupOf(size_t element) const {
    const auto columns = static_cast<size_t>(difference_->shape().columns);
    if (!magnitude_.by_input) return element / columns;
    return element % columns / static_cast<size_t>(window_);
  }

  // Returns magnitude / norm of each group.
  std::vector<double> Factors(const std::vector<double>& moved) const {
    const auto groups =
        static_cast<size_t>(magnitude_.values.shape().elements());
    std::vector<double> squares(groups);
    for (size_t i = 0; i < moved.size(); ++i) {
      squares[GroupOf(i)] += moved[i] * moved[i];
    }
    std::vector<double> factors(groups);
    for (size_t g = 0; g < groups; ++g) {
      // A group of zeros has no direction to scale.
      if (squares[g] == 0) continue;
      factors[g] = static_cast<double>(magnitude_.values.f32()[g]) /
                   std::sqrt(squares[g]);
    }
    return factors;
  }

  const std::unique_ptr<const Difference> difference_;
  const Magnitude magnitude_;
  const int64_t window_;
};

}  // namespace

absl::StatusOr<Magnitude> ReadMagnitude(const LayerParts& layer) {
  // Tells the two writers apart by the name: shapes alone are ambiguous.
  const bool peft = layer.Has(Part::kMagnitude);
  if (peft && layer.Has(Part::kDoraScale)) {
    return LayerError(layer, "layer with both magnitudes of DoRA");
  }
  const Part part = peft ? Part::kMagnitude : Part::kDoraScale;
  ASSIGN_OR_RETURN(const Tensor values, ReadFactor(layer, part));
  const Shape& shape = values.shape();
  const int64_t extent = shape.elements();
  // Finds the axis along which the magnitudes stand; all others are 1.
  int long_axis = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == extent && extent > 1) long_axis = axis;
  }
  if (shape.rank() == 0 || shape[long_axis] != extent) {
    return LayerError(
        layer, absl::StrCat("magnitudes of DoRA in shape ", shape.ToString()));
  }
  Magnitude magnitude{.values = Tensor(Shape{extent}, DType::kF32),
                      .by_input = !peft && long_axis == 1};
  std::copy_n(values.f32(), extent, magnitude.values.f32());
  return magnitude;
}

std::shared_ptr<const model::WeightChange> MakeDora(
    std::unique_ptr<const Difference> difference, Magnitude magnitude,
    int64_t window) {
  return std::make_shared<const DoraChange>(std::move(difference),
                                            std::move(magnitude), window);
}

}  // namespace tessera::lora

#include "worker/lora/full_difference.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/factor.h"

namespace tessera::lora {
namespace {

using kernels::Shape;
using kernels::Tensor;

// A tensor that is the difference.
class FullDifference final : public Difference {
 public:
  explicit FullDifference(Tensor values) : values_(std::move(values)) {}

  // Calls a vector a matrix of one column, for biases and norms.
  MatrixShape shape() const override {
    const Shape& shape = values_.shape();
    return {.rows = shape[0],
            .columns = shape.elements() / shape[0],
            .kernel =
                shape.rank() == 4 ? Kernel{shape[2], shape[3]} : Kernel{1, 1}};
  }

  // Adds element by element; the caller has compared the shapes.
  void AddTo(double strength, std::span<double> sum) const override {
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] += strength * static_cast<double>(values_.f32()[i]);
    }
  }

  int64_t bytes() const override { return values_.bytes(); }

 private:
  const Tensor values_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const Difference>> ReadFullDifference(
    const LayerParts& layer, Part part) {
  ASSIGN_OR_RETURN(Tensor values, ReadFactor(layer, part));
  const int axes = values.shape().rank();
  // Takes what layers have: norms and biases, matrices, kernels.
  if (axes != 1 && axes != 2 && axes != 4) {
    return LayerError(
        layer, absl::StrCat(std::string(PartName(part)), " has the shape ",
                            values.shape().ToString()));
  }
  return std::make_unique<const FullDifference>(std::move(values));
}

}  // namespace tessera::lora

#include "worker/lora/difference.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tessera::lora {
namespace {

// Adds a difference whatever the pristine values are.
class PlainChange final : public model::WeightChange {
 public:
  explicit PlainChange(std::unique_ptr<const Difference> difference)
      : difference_(std::move(difference)) {}

  // Ignores the pristine values: the change is the same for any.
  void AddTo(std::span<const float>, double strength,
             std::span<double> sum) const override {
    difference_->AddTo(strength, sum);
  }

  // Counts what a caller must provide room for.
  int64_t elements() const override {
    return difference_->shape().rows * difference_->shape().columns;
  }

  int64_t bytes() const override { return difference_->bytes(); }

 private:
  const std::unique_ptr<const Difference> difference_;
};

}  // namespace

std::string MatrixShape::ToString() const {
  const std::string matrix = absl::StrCat(rows, "x", columns);
  // Leaves out the kernel of a linear layer, and one that nobody knows.
  if (kernel.height * kernel.width <= 1) return matrix;
  return absl::StrCat(matrix, " (kernel ", kernel.height, "x", kernel.width,
                      ")");
}

std::shared_ptr<const model::WeightChange> AsChange(
    std::unique_ptr<const Difference> difference) {
  return std::make_shared<const PlainChange>(std::move(difference));
}

}  // namespace tessera::lora

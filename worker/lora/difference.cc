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

  void AddTo(std::span<const float>, double strength,
             std::span<double> sum) const override {
    difference_->AddTo(strength, sum);
  }

  int64_t elements() const override {
    return difference_->shape().rows * difference_->shape().columns;
  }

  int64_t bytes() const override { return difference_->bytes(); }

 private:
  const std::unique_ptr<const Difference> difference_;
};

}  // namespace

std::string MatrixShape::ToString() const {
  return absl::StrCat(rows, "x", columns);
}

std::shared_ptr<const model::WeightChange> AsChange(
    std::unique_ptr<const Difference> difference) {
  return std::make_shared<const PlainChange>(std::move(difference));
}

}  // namespace tessera::lora

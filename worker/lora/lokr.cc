#include "worker/lora/lokr.h"

#include <algorithm>
#include <optional>
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

// A matrix as a product: whole ones have an empty `a` and no rank.
struct Product {
  Tensor a;  // [rows, rank]
  Tensor b;  // [rank, columns], or the whole [rows, columns]
  std::optional<int64_t> lora_rank;
  Kernel kernel;  // where the factors tell

  // Sizes of the product.
  int64_t rows() const { return lora_rank ? a.shape()[0] : b.shape()[0]; }
  int64_t columns() const { return b.shape()[1]; }
  int64_t bytes() const { return (lora_rank ? a.bytes() : 0) + b.bytes(); }

  // Returns row `row` in double.
  std::vector<double> Row(int64_t row) const {
    const auto width = static_cast<size_t>(columns());
    if (!lora_rank.has_value()) {
      const float* const from = b.f32() + row * columns();
      return {from, from + width};
    }
    std::vector<double> values(width);
    for (int64_t r = 0; r < *lora_rank; ++r) {
      const double factor = a.f32()[row * *lora_rank + r];
      const float* const from = b.f32() + r * columns();
      for (size_t i = 0; i < width; ++i) {
        values[i] += factor * static_cast<double>(from[i]);
      }
    }
    return values;
  }
};

// The Kronecker product of two such matrices.
class Lokr final : public Difference {
 public:
  Lokr(Product first, Product second, double scale)
      : first_(std::move(first)), second_(std::move(second)), scale_(scale) {}

  MatrixShape shape() const override {
    return {.rows = first_.rows() * second_.rows(),
            .columns = first_.columns() * second_.columns(),
            .kernel = second_.kernel};
  }

  // Row a · c + c' of the result is row a of the first, each element times the
  // whole row c' of the second; a kernel's elements stay together at the end.
  void AddTo(double strength, std::span<double> sum) const override {
    const int64_t columns = shape().columns;
    for (int64_t a = 0; a < first_.rows(); ++a) {
      const std::vector<double> left = first_.Row(a);
      for (int64_t c = 0; c < second_.rows(); ++c) {
        const std::vector<double> right = second_.Row(c);
        double* to = sum.data() + (a * second_.rows() + c) * columns;
        for (const double factor : left) {
          for (const double value : right) {
            *to++ += strength * scale_ * factor * value;
          }
        }
      }
    }
  }

  // Counts the factors: the product is never in memory.
  int64_t bytes() const override { return first_.bytes() + second_.bytes(); }

 private:
  const Product first_;
  const Product second_;
  const double scale_;
};

// The parts that one of the two matrices may come in.
struct Names {
  Part whole, a, b;
  std::optional<Part> core;
};

// Reads a core and what goes with it into `product`.
absl::Status ReadCore(const LayerParts& layer, Part part, Product& product) {
  ASSIGN_OR_RETURN(const Tensor core, ReadFactor(layer, part));
  if (core.shape().rank() != 4) {
    return LayerError(
        layer, absl::StrCat(std::string(PartName(part)),
                            " has not 4 axes: ", core.shape().ToString()));
  }
  RETURN_IF_ERROR(ExpectSameRank(layer, core.shape()[0], product.a.shape()[0]));
  RETURN_IF_ERROR(ExpectSameRank(layer, core.shape()[1], product.b.shape()[0]));
  // Leaves a plain product behind, as for LoHa.
  ASSIGN_OR_RETURN(const Tensor folded, FoldCore(layer, core, product.b));
  const Shape& shape = folded.shape();
  product.a = Transposed(product.a);
  product.kernel = {shape[2], shape[3]};
  product.b = Tensor(Shape{shape[0], shape.elements() / shape[0]}, DType::kF32);
  std::copy_n(folded.f32(), shape.elements(), product.b.f32());
  return absl::OkStatus();
}

// Reads one of the two matrices.
absl::StatusOr<Product> ReadProduct(const LayerParts& layer,
                                    const Names& names) {
  Product product;
  const bool factored = layer.Has(names.a) || layer.Has(names.b);
  if (layer.Has(names.whole)) {
    if (factored) {
      return LayerError(layer, absl::StrCat(std::string(PartName(names.whole)),
                                            " is given whole and in factors"));
    }
    // Takes the kernel of four axes; a matrix may be of any.
    const Shape& shape = layer.parts.at(names.whole).view.shape;
    if (shape.rank() == 4) product.kernel = {shape[2], shape[3]};
    ASSIGN_OR_RETURN(product.b, ReadMatrix(layer, names.whole));
    return product;
  }
  // Names the missing factor where only one of the two is there.
  ASSIGN_OR_RETURN(product.a, ReadMatrix(layer, names.a));
  ASSIGN_OR_RETURN(product.b, ReadMatrix(layer, names.b));
  if (names.core.has_value() && layer.Has(*names.core)) {
    RETURN_IF_ERROR(ReadCore(layer, *names.core, product));
  }
  product.lora_rank = product.b.shape()[0];
  RETURN_IF_ERROR(
      ExpectSameRank(layer, product.a.shape()[1], *product.lora_rank));
  return product;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Difference>> ReadLokr(
    const LayerParts& layer) {
  ASSIGN_OR_RETURN(
      Product first,
      ReadProduct(layer, {Part::kLokrW1, Part::kLokrW1A, Part::kLokrW1B, {}}));
  ASSIGN_OR_RETURN(Product second,
                   ReadProduct(layer, {Part::kLokrW2, Part::kLokrW2A,
                                       Part::kLokrW2B, Part::kLokrT2}));
  if (first.lora_rank.has_value() && second.lora_rank.has_value()) {
    RETURN_IF_ERROR(ExpectSameRank(layer, *first.lora_rank, *second.lora_rank));
  }
  // Takes the rank of whichever is factored.
  const std::optional<int64_t> lora_rank =
      first.lora_rank.has_value() ? first.lora_rank : second.lora_rank;
  // Checks an alpha that goes unused all the same.
  ASSIGN_OR_RETURN(double scale, ReadScale(layer, lora_rank.value_or(1)));
  if (!lora_rank.has_value()) scale = 1;
  return std::make_unique<const Lokr>(std::move(first), std::move(second),
                                      scale);
}

}  // namespace tessera::lora

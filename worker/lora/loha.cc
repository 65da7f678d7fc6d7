#include "worker/lora/loha.h"

#include <algorithm>
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

// One of the two low-rank matrices, without its core.
struct Half {
  Tensor a;  // [outputs, rank]
  Tensor b;  // [rank, columns]

  // Writes row `row` of a · b, in double.
  void RowInto(int64_t row, std::vector<double>& values) const {
    std::fill(values.begin(), values.end(), 0.0);
    const int64_t lora_rank = b.shape()[0];
    for (int64_t r = 0; r < lora_rank; ++r) {
      const double factor = a.f32()[row * lora_rank + r];
      const float* const from = b.f32() + r * b.shape()[1];
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] += factor * static_cast<double>(from[i]);
      }
    }
  }
};

// The elementwise product of two halves of one shape.
class Loha final : public Difference {
 public:
  Loha(Half first, Half second, double scale, Kernel kernel)
      : first_(std::move(first)),
        second_(std::move(second)),
        scale_(scale),
        kernel_(kernel) {}

  MatrixShape shape() const override {
    return {.rows = first_.a.shape()[0],
            .columns = first_.b.shape()[1],
            .kernel = kernel_};
  }

  // Keeps one row of each half: the full matrices are never in memory.
  void AddTo(double strength, std::span<double> sum) const override {
    const auto columns = static_cast<size_t>(shape().columns);
    std::vector<double> left(columns), right(columns);
    for (int64_t row = 0; row < shape().rows; ++row) {
      first_.RowInto(row, left);
      second_.RowInto(row, right);
      double* const to = sum.data() + row * shape().columns;
      for (size_t i = 0; i < columns; ++i) {
        to[i] += strength * scale_ * left[i] * right[i];
      }
    }
  }

  // Counts the factors as they are held, cores multiplied in.
  int64_t bytes() const override {
    return first_.a.bytes() + first_.b.bytes() + second_.a.bytes() +
           second_.b.bytes();
  }

 private:
  const Half first_;
  const Half second_;
  const double scale_;
  const Kernel kernel_;
};

// Reads one half; with a core, the core goes into b.
absl::StatusOr<Half> ReadHalf(const LayerParts& layer, Part a, Part b,
                              Part core) {
  Half half;
  ASSIGN_OR_RETURN(half.a, ReadMatrix(layer, a));
  ASSIGN_OR_RETURN(half.b, ReadMatrix(layer, b));
  // Multiplies the core into b, which leaves a plain product.
  if (layer.Has(core)) {
    ASSIGN_OR_RETURN(const Tensor taps, ReadFactor(layer, core));
    if (taps.shape().rank() != 4) {
      return LayerError(
          layer, absl::StrCat(std::string(PartName(core)),
                              " has not 4 axes: ", taps.shape().ToString()));
    }
    RETURN_IF_ERROR(ExpectSameRank(layer, taps.shape()[0], half.a.shape()[0]));
    RETURN_IF_ERROR(ExpectSameRank(layer, taps.shape()[1], half.b.shape()[0]));
    ASSIGN_OR_RETURN(const Tensor folded, FoldCore(layer, taps, half.b));
    half.a = Transposed(half.a);
    const Shape& shape = folded.shape();
    half.b =
        Tensor(Shape{shape[0], shape[1] * shape[2] * shape[3]}, DType::kF32);
    std::copy_n(folded.f32(), shape.elements(), half.b.f32());
  }
  RETURN_IF_ERROR(ExpectSameRank(layer, half.a.shape()[1], half.b.shape()[0]));
  return half;
}

// Returns the kernel of a core that ReadHalf has checked, or an unknown one
// where there is none.
Kernel KernelOf(const LayerParts& layer, Part core) {
  const auto found = layer.parts.find(core);
  if (found == layer.parts.end()) return {};
  const Shape& shape = found->second.view.shape;
  return {shape[2], shape[3]};
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Difference>> ReadLoha(
    const LayerParts& layer) {
  // Says so before the shapes without a core make no sense.
  if (layer.Has(Part::kHadaT1) != layer.Has(Part::kHadaT2)) {
    return LayerError(layer, "layer with one of hada_t1 and hada_t2 only");
  }
  ASSIGN_OR_RETURN(Half first, ReadHalf(layer, Part::kHadaW1A, Part::kHadaW1B,
                                        Part::kHadaT1));
  ASSIGN_OR_RETURN(Half second, ReadHalf(layer, Part::kHadaW2A, Part::kHadaW2B,
                                         Part::kHadaT2));
  // Takes the rank where LyCORIS does, from the first b.
  const int64_t lora_rank = first.b.shape()[0];
  RETURN_IF_ERROR(ExpectSameRank(layer, lora_rank, second.b.shape()[0]));
  const Kernel kernel = KernelOf(layer, Part::kHadaT1);
  if (first.a.shape()[0] != second.a.shape()[0] ||
      first.b.shape()[1] != second.b.shape()[1] ||
      kernel != KernelOf(layer, Part::kHadaT2)) {
    return LayerError(layer, "the two halves of a LoHa differ in shape");
  }
  ASSIGN_OR_RETURN(const double scale, ReadScale(layer, lora_rank));
  return std::make_unique<const Loha>(std::move(first), std::move(second),
                                      scale, kernel);
}

}  // namespace tessera::lora

// What an adapter adds to a tensor of a layer.
#ifndef TESSERA_WORKER_LORA_DIFFERENCE_H_
#define TESSERA_WORKER_LORA_DIFFERENCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "worker/model/weight_change.h"

namespace tessera::lora {

// The shape of a weight as a matrix [outputs, inputs · window].
struct MatrixShape {
  int64_t rows = 0;
  int64_t columns = 0;
  // Elements of a convolution's kernel, 1 for a linear layer; 0 where the
  // factors do not tell.
  int64_t window = 0;

  // Formats as "320x2880".
  std::string ToString() const;
};

// A difference ΔW of a weight matrix, kept as its factors. Immutable;
// thread-safe.
class Difference {
 public:
  virtual ~Difference() = default;

  virtual MatrixShape shape() const = 0;

  // Adds strength · ΔW, with alpha / rank already in it, to `sum`, the matrix
  // row by row.
  virtual void AddTo(double strength, std::span<double> sum) const = 0;

  // Bytes held.
  virtual int64_t bytes() const = 0;
};

// Makes the change W' = W + strength · ΔW, which does not look at W.
std::shared_ptr<const model::WeightChange> AsChange(
    std::unique_ptr<const Difference> difference);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_DIFFERENCE_H_

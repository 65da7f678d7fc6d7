// What an adapter adds to a tensor of a layer.
#ifndef TESSERA_WORKER_LORA_DIFFERENCE_H_
#define TESSERA_WORKER_LORA_DIFFERENCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "worker/model/weight_change.h"

namespace tessera::lora {

// The extents of a convolution's kernel, 1x1 of a linear layer; 0x0 where the
// factors do not tell.
struct Kernel {
  int64_t height = 0;
  int64_t width = 0;

  bool operator==(const Kernel&) const = default;
};

// The shape of a weight as a matrix [outputs, inputs · height · width].
struct MatrixShape {
  int64_t rows = 0;
  int64_t columns = 0;
  Kernel kernel;

  // Formats as "320x2880", or "320x2880 (kernel 3x3)" where there is one.
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

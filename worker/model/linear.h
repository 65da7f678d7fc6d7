// Linear layers, alone or fused.
#ifndef TESSERA_WORKER_MODEL_LINEAR_H_
#define TESSERA_WORKER_MODEL_LINEAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/ops/activation.h"
#include "kernels/tensor.h"
#include "worker/model/layer_source.h"
#include "worker/model/layer_table.h"
#include "worker/model/pass.h"

namespace tessera::model {

// What a linear layer is called and how it is stored.
struct LinearSpec {
  // One name, or several layers of the same input that run as one gemm; their
  // outputs lie side by side.
  std::vector<std::string> names;
  int64_t inputs = 0;
  int64_t outputs = 0;  // of each name
  bool bias = true;
  bool as_conv = false;  // stored [outputs, inputs, 1, 1]
};

// What happens to the result of a linear layer.
struct LinearExtras {
  kernels::Activation activation = kernels::Activation::kNone;
  // As the output, which it may be.
  std::optional<kernels::TensorView> residual;
};

// y = activation(x Wᵀ + b + adapters) + residual. Immutable; thread-safe.
class Linear {
 public:
  // Reads and packs the weights and numbers the layers. Errors as of
  // WeightReader.
  static absl::StatusOr<Linear> Load(const LayerSource& source,
                                     const LinearSpec& spec);

  // Computes x [rows, ..., inputs] into out [rows, ..., outputs()].
  void Forward(const Pass& pass, const kernels::TensorView& x,
               const kernels::TensorView& out,
               const LinearExtras& extras) const;

  int64_t inputs() const { return weights_.matrix->k(); }
  int64_t outputs() const { return weights_.matrix->n(); }

 private:
  bool Adapted(const Pass& pass) const;
  void AddAdapters(const Pass& pass, const kernels::TensorView& x,
                   const kernels::TensorView& out) const;

  LayerWeights weights_;
  int slot_ = 0;             // of the weights in the table
  std::vector<int> layers_;  // numbers of the names, in order
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_LINEAR_H_

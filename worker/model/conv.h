// Convolutions.
#ifndef TESSERA_WORKER_MODEL_CONV_H_
#define TESSERA_WORKER_MODEL_CONV_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/packed_weights.h"
#include "kernels/tensor.h"
#include "worker/model/layer_source.h"
#include "worker/model/layer_table.h"
#include "worker/model/pass.h"

namespace tessera::model {

// What a convolution is called and its shape.
struct ConvSpec {
  std::string name;
  int64_t inputs = 0;
  int64_t outputs = 0;
  int64_t kernel = 3;  // window, 1 or 3; padded by kernel / 2
  int64_t stride = 1;  // 1 or 2
};

// What is added to the result of a convolution.
struct ConvExtras {
  std::optional<kernels::TensorView> channel_add;  // [N, outputs]
  std::optional<kernels::TensorView> residual;     // as the output; may be it
};

// A convolution of NHWC pictures with bias. Immutable; thread-safe.
class Conv2d {
 public:
  // Reads and packs the weights and numbers the layer. Errors as of
  // WeightReader.
  static absl::StatusOr<Conv2d> Load(const LayerSource& source,
                                     const ConvSpec& spec);

  // Computes x [N, H, W, inputs] into out [N, ceil(H / stride),
  // ceil(W / stride), outputs].
  void Forward(const Pass& pass, const kernels::TensorView& x,
               const kernels::TensorView& out, const ConvExtras& extras) const;

  int64_t outputs() const { return weights_.matrix->n(); }

 private:
  void AddAdapters(const Pass& pass, const kernels::TensorView& x,
                   const kernels::TensorView& out) const;

  LayerWeights weights_;
  int slot_ = 0;  // of the weights in the table
  int64_t stride_ = 1;
  int layer_ = -1;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_CONV_H_

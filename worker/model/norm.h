// Normalisations with their weights.
#ifndef TESSERA_WORKER_MODEL_NORM_H_
#define TESSERA_WORKER_MODEL_NORM_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/layer_source.h"
#include "worker/model/layer_table.h"
#include "worker/model/pass.h"

namespace tessera::model {

// GroupNorm over NHWC pictures, then SiLU where asked. Immutable; thread-safe.
class GroupNorm {
 public:
  // Reads `name`.weight and `name`.bias [channels]. INVALID_ARGUMENT when
  // `groups` does not divide `channels`; else errors as of WeightReader.
  static absl::StatusOr<GroupNorm> Load(const LayerSource& source,
                                        const std::string& name,
                                        int64_t channels, int64_t groups,
                                        float epsilon);

  // Computes x [N, ..., channels] into out of the same shape; may be x.
  void Forward(const Pass& pass, const kernels::TensorView& x,
               const kernels::TensorView& out, bool silu) const;

 private:
  LayerWeights weights_;
  int slot_ = 0;  // of the weights in the table
  int64_t groups_ = 1;
  float epsilon_ = 0;
};

// LayerNorm over the last dimension. Immutable; thread-safe.
class LayerNorm {
 public:
  // Reads `name`.weight and `name`.bias [channels]. Errors as of WeightReader.
  static absl::StatusOr<LayerNorm> Load(const LayerSource& source,
                                        const std::string& name,
                                        int64_t channels, float epsilon);

  // Computes x [..., channels] into out of the same shape; may be x.
  void Forward(const Pass& pass, const kernels::TensorView& x,
               const kernels::TensorView& out) const;

 private:
  LayerWeights weights_;
  int slot_ = 0;  // of the weights in the table
  float epsilon_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_NORM_H_

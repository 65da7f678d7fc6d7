// The embedding of timesteps.
#ifndef TESSERA_WORKER_MODEL_TIME_EMBEDDING_H_
#define TESSERA_WORKER_MODEL_TIME_EMBEDDING_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/linear.h"

namespace tessera::model {

// How timesteps become sinusoids.
struct TimeEmbeddingSpec {
  int64_t sinusoids = 0;  // channels of the sinusoids: the first block's
  int64_t outputs = 0;    // channels of the embedding
  bool flip_sin_to_cos = true;
  float freq_shift = 0;
};

// Sinusoids and the two linear layers "time_embedding.linear_1" and "_2".
// Immutable; thread-safe.
class TimeEmbedding {
 public:
  // Errors as of WeightReader.
  static absl::StatusOr<TimeEmbedding> Load(const LayerSource& source,
                                            const TimeEmbeddingSpec& spec);

  // Computes silu(embedding) of timesteps [N] f32, which may be fractional,
  // into out [N, outputs]: every block applies SiLU first, so it is done once.
  void Forward(const Pass& pass, const kernels::TensorView& timesteps,
               const kernels::TensorView& out) const;

  // Computes silu(embedding + added), `added` as `out`.
  void ForwardAdding(const Pass& pass, const kernels::TensorView& timesteps,
                     const kernels::TensorView& added,
                     const kernels::TensorView& out) const;

  int64_t outputs() const { return spec_.outputs; }

 private:
  void RunFirst(const Pass& pass, const kernels::TensorView& timesteps,
                const kernels::TensorView& hidden) const;

  // What Forward makes the sinusoids by.
  TimeEmbeddingSpec spec_;
  Linear linear_1_;
  Linear linear_2_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_TIME_EMBEDDING_H_

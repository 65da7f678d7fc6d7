// What Stable Diffusion XL adds to the embedding of timesteps.
#ifndef TESSERA_WORKER_MODEL_ADDED_EMBEDDING_H_
#define TESSERA_WORKER_MODEL_ADDED_EMBEDDING_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/linear.h"

namespace tessera::model {

// How pooled text and sizes become what is added.
struct AddedEmbeddingSpec {
  int64_t inputs = 0;     // channels of the text and of all sinusoids
  int64_t sinusoids = 0;  // channels a number
  int64_t outputs = 0;    // channels of the time embedding
  bool flip_sin_to_cos = true;
  float freq_shift = 0;
};

// Sinusoids of the sizes behind the pooled text, and the two linear layers
// "add_embedding.linear_1" and "_2" (diffusers' get_aug_embed, text_time).
// Immutable; thread-safe.
class AddedEmbedding {
 public:
  // Errors as of WeightReader.
  static absl::StatusOr<AddedEmbedding> Load(const LayerSource& source,
                                             const AddedEmbeddingSpec& spec);

  // Computes pooled text [1, C] and numbers [count] f32, both with the device,
  // into out [1, outputs]. The channels of both must come to the inputs.
  void Forward(const Pass& pass, const kernels::TensorView& pooled,
               const kernels::TensorView& numbers,
               const kernels::TensorView& out) const;

  int64_t outputs() const { return spec_.outputs; }

 private:
  AddedEmbeddingSpec spec_;
  Linear linear_1_;
  Linear linear_2_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_ADDED_EMBEDDING_H_

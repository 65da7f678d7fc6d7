#include "worker/model/added_embedding.h"

#include "common/status_macros.h"
#include "kernels/ops/concat.h"
#include "kernels/ops/embedding.h"

namespace tessera::model {

using kernels::Activation;
using kernels::Scratch;
using kernels::Shape;
using kernels::TensorView;

// Reads the two layers; `spec` is kept for the sinusoids.
absl::StatusOr<AddedEmbedding> AddedEmbedding::Load(
    const LayerSource& source, const AddedEmbeddingSpec& spec) {
  AddedEmbedding added;
  added.spec_ = spec;
  ASSIGN_OR_RETURN(added.linear_1_,
                   Linear::Load(source, {.names = {"add_embedding.linear_1"},
                                         .inputs = spec.inputs,
                                         .outputs = spec.outputs}));
  ASSIGN_OR_RETURN(added.linear_2_,
                   Linear::Load(source, {.names = {"add_embedding.linear_2"},
                                         .inputs = spec.outputs,
                                         .outputs = spec.outputs}));
  return added;
}

void AddedEmbedding::Forward(const Pass& pass, const TensorView& pooled,
                             const TensorView& numbers,
                             const TensorView& out) const {
  // Sees each number as a timestep; their rows then stand side by side.
  const int64_t count = numbers.shape[0];
  const Scratch sinusoids = pass.Allocate(Shape{count, spec_.sinusoids});
  kernels::TimestepEmbedding(pass.stream,
                             {.timesteps = numbers,
                              .flip_sin_to_cos = spec_.flip_sin_to_cos,
                              .downscale_freq_shift = spec_.freq_shift,
                              .out = sinusoids.view()});
  const Scratch joined = pass.Allocate(Shape{1, spec_.inputs});
  kernels::ConcatChannels(
      pass.stream,
      {.a = pooled,
       .b = sinusoids.view().Reshaped(Shape{1, count * spec_.sinusoids}),
       .out = joined.view()});
  const Scratch hidden = pass.Allocate(Shape{1, spec_.outputs});
  linear_1_.Forward(pass, joined.view(), hidden.view(),
                    {.activation = Activation::kSilu});
  linear_2_.Forward(pass, hidden.view(), out, {});
}

}  // namespace tessera::model

#include "worker/model/time_embedding.h"

#include "common/status_macros.h"
#include "kernels/ops/elementwise.h"
#include "kernels/ops/embedding.h"

namespace tessera::model {

using kernels::Activation;
using kernels::Scratch;
using kernels::Shape;
using kernels::TensorView;

// Reads the two layers; `spec` is kept for the sinusoids.
absl::StatusOr<TimeEmbedding> TimeEmbedding::Load(
    const LayerSource& source, const TimeEmbeddingSpec& spec) {
  TimeEmbedding time;
  time.spec_ = spec;
  ASSIGN_OR_RETURN(time.linear_1_,
                   Linear::Load(source, {.names = {"time_embedding.linear_1"},
                                         .inputs = spec.sinusoids,
                                         .outputs = spec.outputs}));
  ASSIGN_OR_RETURN(time.linear_2_,
                   Linear::Load(source, {.names = {"time_embedding.linear_2"},
                                         .inputs = spec.outputs,
                                         .outputs = spec.outputs}));
  return time;
}

// Computes silu(linear_1(sinusoids)) of timesteps [N] into hidden [N, outputs],
// as diffusers' TimestepEmbedding has it.
void TimeEmbedding::RunFirst(const Pass& pass, const TensorView& timesteps,
                             const TensorView& hidden) const {
  // Makes all rows at once: timesteps may differ from row to row.
  const Scratch sinusoids =
      pass.Allocate(Shape{timesteps.shape[0], spec_.sinusoids});
  kernels::TimestepEmbedding(pass.stream,
                             {.timesteps = timesteps,
                              .flip_sin_to_cos = spec_.flip_sin_to_cos,
                              .downscale_freq_shift = spec_.freq_shift,
                              .out = sinusoids.view()});
  linear_1_.Forward(pass, sinusoids.view(), hidden,
                    {.activation = Activation::kSilu});
}

void TimeEmbedding::Forward(const Pass& pass, const TensorView& timesteps,
                            const TensorView& out) const {
  const Scratch hidden = pass.Allocate(out.shape);
  RunFirst(pass, timesteps, hidden.view());
  // Applies the SiLU that diffusers applies in every resnet block, once.
  linear_2_.Forward(pass, hidden.view(), out,
                    {.activation = Activation::kSilu});
}

void TimeEmbedding::ForwardAdding(const Pass& pass, const TensorView& timesteps,
                                  const TensorView& added,
                                  const TensorView& out) const {
  const Scratch hidden = pass.Allocate(out.shape);
  RunFirst(pass, timesteps, hidden.view());
  linear_2_.Forward(pass, hidden.view(), out, {.residual = added});
  kernels::Activate(
      pass.stream, {.input = out, .activation = Activation::kSilu, .out = out});
}

}  // namespace tessera::model

#include "worker/model/norm.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/ops/group_norm.h"
#include "kernels/ops/layer_norm.h"

namespace tessera::model {

using kernels::Shape;
using kernels::TensorView;

absl::StatusOr<GroupNorm> GroupNorm::Load(const LayerSource& source,
                                          const std::string& name,
                                          int64_t channels, int64_t groups,
                                          float epsilon) {
  if (groups < 1 || channels % groups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("norm groups do not divide the channels: ", name, ": ",
                     groups, " groups, ", channels, " channels"));
  }
  GroupNorm norm;
  // Names the parameters as the paper does: gamma scales, beta shifts.
  ASSIGN_OR_RETURN(norm.gamma_,
                   source.reader.Read(name + ".weight", Shape{channels}));
  ASSIGN_OR_RETURN(norm.beta_,
                   source.reader.Read(name + ".bias", Shape{channels}));
  norm.groups_ = groups;
  norm.epsilon_ = epsilon;
  return norm;
}

void GroupNorm::Forward(const Pass& pass, const TensorView& x,
                        const TensorView& out, bool silu) const {
  kernels::GroupNorm(pass.stream, {.input = x,
                                   .groups = groups_,
                                   .eps = epsilon_,
                                   .weight = gamma_.view(),
                                   .bias = beta_.view(),
                                   .silu = silu,
                                   .out = out});
}

absl::StatusOr<LayerNorm> LayerNorm::Load(const LayerSource& source,
                                          const std::string& name,
                                          int64_t channels, float epsilon) {
  LayerNorm norm;
  ASSIGN_OR_RETURN(norm.gamma_,
                   source.reader.Read(name + ".weight", Shape{channels}));
  ASSIGN_OR_RETURN(norm.beta_,
                   source.reader.Read(name + ".bias", Shape{channels}));
  norm.epsilon_ = epsilon;
  return norm;
}

// Normalises over channels, for every token on its own.
void LayerNorm::Forward(const Pass& pass, const TensorView& x,
                        const TensorView& out) const {
  kernels::LayerNorm(pass.stream, {.input = x,
                                   .eps = epsilon_,
                                   .weight = gamma_.view(),
                                   .bias = beta_.view(),
                                   .out = out});
}

}  // namespace tessera::model

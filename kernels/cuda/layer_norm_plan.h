// How a layer norm shares out its rows.
#ifndef TESSERA_KERNELS_CUDA_LAYER_NORM_PLAN_H_
#define TESSERA_KERNELS_CUDA_LAYER_NORM_PLAN_H_

#include <cstdint>

namespace tessera::kernels::cuda {

// Rows a block: a warp each.
inline constexpr int kLayerNormRows = 4;

// Packs that a lane keeps in registers at most: 2,048 channels of 16 bits, more
// than any model has. Longer rows are read from memory three times.
inline constexpr int64_t kMaxHeldPacks = 8;

// One warp a row. Depends on the row's length only.
struct LayerNormPlan {
  int width = 1;           // channels a lane loads at once
  int64_t packs = 0;       // packs of `width` channels a row
  int64_t lane_packs = 0;  // packs of the busiest lane
  bool held = false;       // whether the row fits the registers of its warp
};

// Plans rows of `channels` elements of `element_bytes` bytes.
constexpr LayerNormPlan PlanLayerNorm(int64_t channels, int element_bytes) {
  LayerNormPlan plan;
  const int widest = 16 / element_bytes;
  plan.width = channels % widest == 0 ? widest : 1;
  plan.packs = channels / plan.width;
  plan.lane_packs = (plan.packs + 31) / 32;
  plan.held = plan.lane_packs <= kMaxHeldPacks;
  return plan;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_LAYER_NORM_PLAN_H_

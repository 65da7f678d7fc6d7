#include "kernels/cuda/attention/plan.h"

#include <cmath>

#include "kernels/cuda/attention/hopper_shape.h"
#include "kernels/cuda/tiles/fragment.h"
#include "kernels/cuda/tiles/swizzle.h"

namespace tessera::kernels::cuda {
namespace {

// The limit of the second and third extent of a grid.
constexpr int64_t kMaxGrid = 65535;

// Returns whether the heads lie within an operand's rows.
bool Holds(const AttentionOperand& operand, int64_t width) {
  return operand.data != nullptr && operand.column >= 0 &&
         operand.column + width <= operand.pitch;
}

// Returns whether every head's row starts at a multiple of 16 bytes.
bool IsAligned(const AttentionOperand& operand) {
  return reinterpret_cast<uintptr_t>(operand.data) % kChunkBytes == 0 &&
         operand.pitch % kChunkElements == 0 &&
         operand.column % kChunkElements == 0;
}

// The one capability whose instructions (sm_90a) the kernel uses.
constexpr int kHopperCapability = 90;

// Returns whether a tile of the Hopper kernel is mostly used, and coordinates
// fit its tensor maps.
bool SuitsHopper(const AttentionParams& params) {
  constexpr int64_t kPromptKeys = 80;  // have a tile of their own
  constexpr int64_t kSmallHead = 32;
  constexpr int64_t kMaxCoordinate = int64_t{1} << 31;
  return params.keys > kPromptKeys && params.head_dim > kSmallHead &&
         params.head_dim <= 128 && params.queries < kMaxCoordinate &&
         params.keys < kMaxCoordinate;
}

}  // namespace

bool IsValid(const AttentionParams& params) {
  const AttentionParams& p = params;
  const int64_t width = p.heads * p.head_dim;
  return (p.dtype == DType::kF16 || p.dtype == DType::kBF16) && p.n >= 0 &&
         p.n <= kMaxGrid && p.queries >= 0 && p.keys >= 1 && p.heads >= 1 &&
         p.heads <= kMaxGrid && p.head_dim >= 1 && p.head_dim <= 1024 &&
         std::isfinite(p.scale) && (!p.causal || p.queries == p.keys) &&
         Holds(p.q, width) && Holds(p.k, width) && Holds(p.v, width) &&
         p.out != nullptr;
}

bool IsAligned(const AttentionParams& params) {
  return params.head_dim % kChunkElements == 0 && IsAligned(params.q) &&
         IsAligned(params.k) && IsAligned(params.v) &&
         reinterpret_cast<uintptr_t>(params.out) % kChunkBytes == 0;
}

AttentionPlan PlanAttention(const AttentionParams& params,
                            AttentionVariant variant,
                            const AttentionDevice& device) {
  if (params.n == 0 || params.queries == 0) return {};
  const auto shape =
      ChooseMmaShape(params.head_dim, params.keys, device.shared_limit);
  // The largest score is the largest exponent only if the scale is positive.
  if (device.compute_capability < 80 || !shape || !IsAligned(params) ||
      params.scale < 0) {
    return {AttentionKernel::kRow, 0};
  }
  if (variant == AttentionVariant::kHopper &&
      device.compute_capability == kHopperCapability && SuitsHopper(params)) {
    return {AttentionKernel::kHopper,
            params.head_dim <= kHopperShapes[0].head_dim ? 0 : 1};
  }
  return {AttentionKernel::kMma, *shape};
}

}  // namespace tessera::kernels::cuda

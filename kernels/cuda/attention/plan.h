// Which kernel computes an attention, and whether its operands are sound.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_PLAN_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_PLAN_H_

#include <cstdint>

#include "kernels/cuda/attention/mma_shapes.h"
#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// What the choice depends on besides the operands.
struct AttentionDevice {
  int compute_capability = 0;  // 10 * major + minor
  int64_t shared_limit = 0;    // bytes of shared memory a block may ask for
};

// The kernels there are.
enum class AttentionKernel {
  kNone,    // nothing to compute
  kMma,     // tensor cores, kMmaShapes[shape]
  kHopper,  // warp-specialised, kHopperShapes[shape]
  kRow,     // one warp a row: any head, any alignment
};

// A kernel and its shape.
struct AttentionPlan {
  AttentionKernel kernel = AttentionKernel::kNone;
  int shape = 0;
};

// Returns whether the parameters are as their comments say.
bool IsValid(const AttentionParams& params);

// Returns whether heads can be read and written 16 bytes at a time.
bool IsAligned(const AttentionParams& params);

// Chooses for valid parameters. Neither n nor the number of queries matters
// beyond whether there are any (and fit the copy engine's coordinates). With
// kHopper, other kernels still serve prompts, heads wider than 128 or up to 32,
// and other devices.
AttentionPlan PlanAttention(const AttentionParams& params,
                            AttentionVariant variant,
                            const AttentionDevice& device);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_PLAN_H_

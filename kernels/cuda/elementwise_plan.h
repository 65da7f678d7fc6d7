// How element-wise kernels share out their elements.
#ifndef TESSERA_KERNELS_CUDA_ELEMENTWISE_PLAN_H_
#define TESSERA_KERNELS_CUDA_ELEMENTWISE_PLAN_H_

#include <algorithm>
#include <cstdint>

namespace tessera::kernels::cuda {

// Threads a block of every element-wise kernel: eight warps, of which an
// SM holds eight blocks.
inline constexpr int kElementwiseThreads = 256;

// Bytes one thread moves at once: the widest load there is.
inline constexpr int kVectorBytes = 16;

// Enough blocks to fill the largest device several times over; a thread then
// walks the rest in strides of the grid.
inline constexpr int64_t kMaxElementwiseBlocks = 132 * 8 * 4;

// Elements in packs of `width`, then a tail of single elements.
struct ElementwisePlan {
  int width = 1;       // elements of a pack: 1, or those of 16 bytes
  int64_t packs = 0;   // whole packs
  int64_t tail = 0;    // elements after the last pack, fewer than `width`
  int64_t blocks = 0;  // of kElementwiseThreads; 0: nothing to do
};

// Plans `elements` elements of at most `element_bytes` bytes each.
// `addresses` is the bitwise or of all operands' addresses: packs need every
// one of them aligned to a whole pack. Each operand's pack has as many
// elements as 16 bytes hold of the widest type.
constexpr ElementwisePlan PlanElementwise(int64_t elements, int element_bytes,
                                          uintptr_t addresses) {
  ElementwisePlan plan;
  const bool aligned = addresses % kVectorBytes == 0;
  plan.width = aligned ? kVectorBytes / element_bytes : 1;
  plan.packs = elements / plan.width;
  plan.tail = elements % plan.width;
  const int64_t work = plan.packs + plan.tail;
  plan.blocks =
      std::min(kMaxElementwiseBlocks,
               (work + kElementwiseThreads - 1) / kElementwiseThreads);
  return plan;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ELEMENTWISE_PLAN_H_

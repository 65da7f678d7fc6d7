// The shape of the Hopper attention's tiles, and its budgets.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_SHAPE_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_SHAPE_H_

#include <cstdint>

#include "kernels/cuda/tiles/wgmma_descriptor.h"

namespace tessera::kernels::cuda {

// One producer warpgroup and two consumer warpgroups of 64 queries each,
// against blocks of 128 keys in rings of two buffers for K and two for V.
struct HopperShape {
  int head_dim = 0;  // 64 or 128: one or two pages

  static constexpr int kConsumers = 2;
  static constexpr int kRows = 64 * kConsumers;
  static constexpr int kKeys = 128;
  static constexpr int kStages = 2;
  static constexpr int kThreads = 128 * (1 + kConsumers);

  // Registers of a thread. The block is launched with kEntryRegisters and the
  // warpgroups trade them: if the sum grew, setmaxnreg would wait for ever.
  static constexpr int kEntryRegisters = 168;
  static constexpr int kProducerRegisters = 24;
  static constexpr int kConsumerRegisters = 240;

  constexpr int pages() const { return head_dim / kPageColumns; }

  // Bytes of the tiles; also what the barriers of their copies expect.
  constexpr int q_bytes() const { return kRows * head_dim * 2; }
  constexpr int kv_bytes() const { return kKeys * head_dim * 2; }

  // Offsets in shared memory from a multiple of kSwizzleBytes.
  constexpr int k_offset(int stage) const {
    return q_bytes() + stage * kv_bytes();
  }
  constexpr int v_offset(int stage) const { return k_offset(kStages + stage); }
  constexpr int barriers_offset() const { return v_offset(kStages); }

  // Barriers of 8 bytes: q full; full and empty of each stage of K and of V.
  static constexpr int kBarriers = 1 + 4 * kStages;

  // What to ask for: the block's memory need not start at such a multiple.
  constexpr int shared_bytes() const {
    return barriers_offset() + 8 * kBarriers + kSwizzleBytes;
  }
};

// The shapes that exist.
inline constexpr HopperShape kHopperShapes[] = {{64}, {128}};

static_assert(HopperShape::kProducerRegisters +
                  HopperShape::kConsumers * HopperShape::kConsumerRegisters <=
              (1 + HopperShape::kConsumers) * HopperShape::kEntryRegisters);
static_assert(HopperShape::kThreads * HopperShape::kEntryRegisters <= 65536);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_SHAPE_H_

// The tiles that exist, and the choice among them.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_MMA_SHAPES_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_MMA_SHAPES_H_

#include <array>
#include <cstdint>
#include <optional>

#include "kernels/cuda/attention/mma_shape.h"

namespace tessera::kernels::cuda {

// Tiles by head size, for self-attention first. Registers are the limit: a
// thread holds rows * (head_dim + keys) / threads sums, at most 255 with all
// else, and 128 threads with 160 registers each let three blocks share an SM.
// The resources that the compiler gave each are in resources.json.
inline constexpr std::array kMmaShapes = {
    MmaShape{.head_dim = 32, .rows = 64, .keys = 64, .warps = 4},
    MmaShape{.head_dim = 40, .rows = 128, .keys = 64, .warps = 4},
    MmaShape{.head_dim = 64, .rows = 128, .keys = 64, .warps = 4},
    MmaShape{.head_dim = 80, .rows = 128, .keys = 64, .warps = 4},
    MmaShape{.head_dim = 96, .rows = 64, .keys = 64, .warps = 4},
    MmaShape{.head_dim = 128, .rows = 128, .keys = 32, .warps = 4},
    MmaShape{.head_dim = 160, .rows = 128, .keys = 32, .warps = 4},
    MmaShape{.head_dim = 256, .rows = 64, .keys = 32, .warps = 4},
    MmaShape{.head_dim = 512, .rows = 64, .keys = 32, .warps = 8, .split = 2},
    // The same for devices with less than 164 KiB of shared memory an SM.
    MmaShape{.head_dim = 512, .rows = 32, .keys = 16, .warps = 8, .split = 4},
    // The 77 tokens of a prompt in one block, 96 % of which is useful.
    MmaShape{.head_dim = 40, .rows = 64, .keys = 80, .warps = 4},
    MmaShape{.head_dim = 64, .rows = 64, .keys = 80, .warps = 4},
    MmaShape{.head_dim = 80, .rows = 64, .keys = 80, .warps = 4},
    MmaShape{.head_dim = 128, .rows = 64, .keys = 80, .warps = 4},
    MmaShape{.head_dim = 160, .rows = 64, .keys = 80, .warps = 4},
};

// Returns the place in kMmaShapes of the tile for heads of `head_dim` and
// `keys` keys on a device that grants a block `shared_limit` bytes of shared
// memory, or nothing if there is none. Neither the number of queries nor that
// of pictures matters: they may not change a row's bits.
constexpr std::optional<int> ChooseMmaShape(int64_t head_dim, int64_t keys,
                                            int64_t shared_limit) {
  std::optional<int> best;
  for (int i = 0; i < static_cast<int>(kMmaShapes.size()); ++i) {
    const MmaShape& shape = kMmaShapes[i];
    if (shape.head_dim < head_dim || shape.shared_bytes() > shared_limit) {
      continue;
    }
    const bool prompt = shape.keys == 80;
    if (prompt && (keys <= 64 || keys > 80)) continue;
    // The narrowest head wins, then the tile for prompts, then the first.
    if (!best || shape.head_dim < kMmaShapes[*best].head_dim ||
        (prompt && shape.head_dim == kMmaShapes[*best].head_dim)) {
      best = i;
    }
  }
  return best;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_MMA_SHAPES_H_

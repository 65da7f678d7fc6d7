// Shapes of the mma.sync attention's tiles.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_MMA_SHAPE_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_MMA_SHAPE_H_

#include <cstdint>

namespace tessera::kernels::cuda {

// What one thread block computes: `rows` queries of one head against blocks of
// `keys` keys, with `warps` warps of which `split` share the same rows.
struct MmaShape {
  int head_dim = 0;  // columns of the output, a multiple of 8
  int rows = 0;
  int keys = 0;
  int warps = 0;
  int split = 1;

  constexpr int threads() const { return warps * 32; }
  constexpr int warp_rows() const { return rows / (warps / split); }
  // The head as the k-steps of q k' see it.
  constexpr int padded_head_dim() const { return (head_dim + 15) / 16 * 16; }

  constexpr int q_bytes() const { return rows * padded_head_dim() * 2; }
  constexpr int kv_bytes() const { return keys * padded_head_dim() * 2; }
  // Each warp's own sums of scores, where several share rows.
  constexpr int partial_bytes() const {
    return split > 1 ? split * rows * keys * 4 : 0;
  }
  constexpr int shared_bytes() const {
    return q_bytes() + 2 * kv_bytes() + partial_bytes();
  }

  // Returns whether the tile algorithm covers every row, key and column.
  constexpr bool valid() const {
    return head_dim > 0 && rows > 0 && keys > 0 && warps > 0 && split > 0 &&
           head_dim % (8 * split) == 0 &&
           padded_head_dim() % (16 * split) == 0 && keys % 16 == 0 &&
           warps % split == 0 && warp_rows() % 16 == 0 &&
           warp_rows() * (warps / split) == rows;
  }

  friend constexpr bool operator==(const MmaShape&, const MmaShape&) = default;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_MMA_SHAPE_H_

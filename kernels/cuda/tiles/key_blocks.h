// Which blocks of keys a tile of queries walks, and which of them it masks.
#ifndef TESSERA_KERNELS_CUDA_TILES_KEY_BLOCKS_H_
#define TESSERA_KERNELS_CUDA_TILES_KEY_BLOCKS_H_

#include <cstdint>

namespace tessera::kernels::cuda {

// Blocks of `block` keys for the queries first_query .. first_query + rows - 1
// of a problem with `keys` keys. They are walked from the last to the first:
// what must be masked comes first, and where nothing is masked, the inner loop
// compares nothing.
struct KeyBlocks {
  int64_t keys = 0;
  int64_t first_query = 0;
  int rows = 0;
  int block = 0;
  bool causal = false;  // query i sees keys 0..i

  // Returns how many blocks hold a key that some query of the tile sees.
  constexpr int64_t count() const {
    const int64_t seen =
        causal && first_query + rows < keys ? first_query + rows : keys;
    return (seen + block - 1) / block;
  }

  // Returns whether some query of the tile does not see all of block `index`.
  constexpr bool Masks(int64_t index) const {
    const int64_t last = (index + 1) * block - 1;
    return last >= keys || (causal && last > first_query);
  }

  // Returns whether `query` sees `key`.
  constexpr bool Sees(int64_t query, int64_t key) const {
    return key < keys && (!causal || key <= query);
  }
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_KEY_BLOCKS_H_

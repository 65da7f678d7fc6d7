// Where a tile of 16-bit rows lies in shared memory, without bank conflicts.
#ifndef TESSERA_KERNELS_CUDA_TILES_SWIZZLE_H_
#define TESSERA_KERNELS_CUDA_TILES_SWIZZLE_H_

#include "kernels/cuda/tiles/fragment.h"

namespace tessera::kernels::cuda {

// Bytes of a chunk: what one lane of ldmatrix or cp.async addresses.
inline constexpr int kChunkBytes = 16;

// A tile of kRows rows of kWidth elements (a multiple of 16), cut into pages
// of the widest of 8, 4 or 2 chunks that divides a row. A page holds all rows;
// within it a row's chunks are permuted by an XOR with bits of the row, so
// that any 8 rows of one chunk column, which is what a phase of ldmatrix
// reads, and any 8 chunks in page order, which is what a phase of a fill
// writes, touch each of the 32 banks once.
template <int kRows, int kWidth>
struct SwizzledTile {
  static_assert(kWidth % 16 == 0);
  static constexpr int kChunks = kWidth / kChunkElements;
  static constexpr int kPage = kChunks % 8 == 0 ? 8 : kChunks % 4 == 0 ? 4 : 2;
  static constexpr int kBytes = kRows * kWidth * 2;
  // Rows that share a line of 128 bytes, over which the XOR changes.
  static constexpr int kRowsALine = 8 / kPage;

  // Returns the byte offset of a chunk.
  static constexpr int Offset(TileChunk at) {
    const unsigned row = at.row, chunk = at.chunk;  // cheap to divide
    const unsigned page = chunk / kPage;
    const unsigned slot = (chunk % kPage) ^ (row / kRowsALine % kPage);
    return ((page * kRows + row) * kPage + slot) * kChunkBytes;
  }

  // Returns the chunk that is `index`-th (0 .. kRows * kChunks - 1) in the
  // order of pages, then rows: the order in which tiles are filled.
  static constexpr TileChunk InPageOrder(int index) {
    const unsigned i = index;
    return {static_cast<int>(i / kPage % kRows),
            static_cast<int>(i / (kPage * kRows) * kPage + i % kPage)};
  }
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_SWIZZLE_H_

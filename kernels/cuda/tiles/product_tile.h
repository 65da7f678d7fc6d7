// Where the operands of a tile's product lie in shared memory.
#ifndef TESSERA_KERNELS_CUDA_TILES_PRODUCT_TILE_H_
#define TESSERA_KERNELS_CUDA_TILES_PRODUCT_TILE_H_

#include "kernels/cuda/tiles/fragment.h"

namespace tessera::kernels::cuda {

// Four warps, 16 rows each.
inline constexpr int kTileWarps = 4;
inline constexpr int kTileThreads = kTileWarps * kWarpLanes;
inline constexpr int kTileRows = kTileWarps * 16;

// Elements of k that a stage holds: four steps of mma.m16n8k16.
inline constexpr int kTileDepth = 64;
inline constexpr int kTileChunks = kTileDepth / kChunkElements;

// Chunks from row to row. An odd count sends the eight rows of an 8x8 matrix
// to eight different groups of four banks, so ldmatrix meets no conflict.
inline constexpr int kTilePitch = kTileChunks + 1;

// Returns the offset in bytes of a chunk of a row.
constexpr int TileOffset(int row, int chunk) {
  return (row * kTilePitch + chunk) * 16;
}

// Returns the bytes of one stage: the rows of both operands.
constexpr int StageBytes(int columns) {
  return TileOffset(kTileRows + columns, 0);
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_PRODUCT_TILE_H_

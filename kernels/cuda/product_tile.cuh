// The product of two tiles of rows by a block: sum += a b'.
//
// A warp owns 16 rows of `a` and all kColumns rows of `b`. Stages of 64
// elements of k pass through shared memory, kStages - 1 of them under way by
// cp.async while one is multiplied: ldmatrix and mma.m16n8k16, f32 sums, k in
// order. What lies outside a matrix counts as zero.
#ifndef TESSERA_KERNELS_CUDA_PRODUCT_TILE_CUH_
#define TESSERA_KERNELS_CUDA_PRODUCT_TILE_CUH_

#include <cstdint>

#include "kernels/cuda/element.cuh"
#include "kernels/cuda/tensor_core.cuh"
#include "kernels/cuda/tiles/product_tile.h"

namespace tessera::kernels::cuda {

// Rows of 16-bit elements in global memory.
template <typename T>
struct TileRows {
  const T* first = nullptr;  // row 0 of the tile, first element of k
  int64_t pitch = 0;
  int begin = 0;  // rows [begin, end) of the tile exist
  int end = 0;
  bool aligned = false;  // every row starts on 16 bytes
};

// Begins to bring elements [k, k + 64) of kRows rows to `stage`.
template <int kRows, typename T>
__device__ inline void LoadStage(char* stage, const TileRows<T>& rows,
                                 int64_t k, int64_t depth) {
  for (int i = threadIdx.x; i < kRows * kTileChunks; i += kTileThreads) {
    const int row = i / kTileChunks, chunk = i % kTileChunks;
    char* const to = stage + TileOffset(row, chunk);
    const int64_t at = k + chunk * kChunkElements;
    const bool exists = row >= rows.begin && row < rows.end;
    const T* const from = rows.first + row * rows.pitch + at;
    if (exists && rows.aligned && at + kChunkElements <= depth) {
      CopyAsync16(to, from);
      continue;
    }
    Pack<T, kChunkElements> elements;
#pragma unroll
    for (int e = 0; e < kChunkElements; ++e) {
      elements.v[e] = exists && at + e < depth ? from[e] : FromFloat<T>(0.0f);
    }
    *reinterpret_cast<Pack<T, kChunkElements>*>(to) = elements;
  }
}

// Adds the product of one stage.
template <int kColumns, typename T>
__device__ inline void MultiplyStage(float (&sum)[kColumns / 8][4],
                                     const char* stage) {
  const int warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes;
  const char* const a_rows = stage + TileOffset(16 * warp, 0);
  const char* const b_rows = stage + TileOffset(kTileRows, 0);
#pragma unroll
  for (int step = 0; step < kTileDepth / 16; ++step) {
    uint32_t a[4];
    const TileChunk at = ChunkForA(lane, step);
    LoadMatrices(a, a_rows + TileOffset(at.row, at.chunk));
#pragma unroll
    for (int pair = 0; pair < kColumns / 16; ++pair) {
      uint32_t b[4];
      const TileChunk from = ChunkForB(lane, pair, step);
      LoadMatrices(b, b_rows + TileOffset(from.row, from.chunk));
      MultiplyAdd<T>(sum[2 * pair], a, b[0], b[1]);
      MultiplyAdd<T>(sum[2 * pair + 1], a, b[2], b[3]);
    }
  }
}

// sum += a b' over `depth` elements of k. All threads of the block call it;
// `shared` has kStages stages and may be used again at once.
template <int kColumns, int kStages, typename T>
__device__ inline void MultiplyTiles(float (&sum)[kColumns / 8][4],
                                     char* shared, const TileRows<T>& a,
                                     const TileRows<T>& b, int64_t depth) {
  const int64_t steps = (depth + kTileDepth - 1) / kTileDepth;
  // Every step ends a group, an empty one at the end, so that the number of
  // groups under way is always the same.
  const auto load = [&](int64_t step) {
    if (step < steps) {
      char* const stage = shared + step % kStages * StageBytes(kColumns);
      LoadStage<kTileRows>(stage, a, step * kTileDepth, depth);
      LoadStage<kColumns>(stage + TileOffset(kTileRows, 0), b,
                          step * kTileDepth, depth);
    }
    CommitCopies();
  };
  __syncthreads();
  for (int step = 0; step < kStages - 1; ++step) load(step);
  for (int64_t step = 0; step < steps; ++step) {
    WaitCopies<kStages - 2>();
    // Also says that all have multiplied the stage that is loaded next.
    __syncthreads();
    load(step + kStages - 1);
    MultiplyStage<kColumns, T>(sum,
                               shared + step % kStages * StageBytes(kColumns));
  }
  WaitCopies<0>();
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_PRODUCT_TILE_CUH_

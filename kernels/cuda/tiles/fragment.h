// Who holds what: the registers of mma.m16n8k16 and the rows of ldmatrix.
//
// PTX ISA, "Matrix Fragments for mma.m16n8k16" and "ldmatrix". A lane's
// elements are numbered in register order; 16-bit ones lie two a register.
#ifndef TESSERA_KERNELS_CUDA_TILES_FRAGMENT_H_
#define TESSERA_KERNELS_CUDA_TILES_FRAGMENT_H_

namespace tessera::kernels::cuda {

// Lanes of a warp.
inline constexpr int kWarpLanes = 32;

// Elements of 16 bits in the 16 bytes that ldmatrix and cp.async move.
inline constexpr int kChunkElements = 8;

// A cell of a matrix.
struct Cell {
  int row = 0;
  int column = 0;

  friend constexpr bool operator==(const Cell&, const Cell&) = default;
};

// Returns the cell of A [16, 16] that is element i (0..7) of a lane.
constexpr Cell CellOfA(int lane, int i) {
  return {(lane >> 2) + 8 * ((i >> 1) & 1),
          2 * (lane & 3) + (i & 1) + 8 * (i >> 2)};
}

// Returns the cell of B [k 16, n 8] that is element i (0..3) of a lane.
constexpr Cell CellOfB(int lane, int i) {
  return {2 * (lane & 3) + (i & 1) + 8 * (i >> 1), lane >> 2};
}

// Returns the cell of C or D [16, 8], f32, that is element i (0..3) of a lane.
constexpr Cell CellOfC(int lane, int i) {
  return {(lane >> 2) + 8 * (i >> 1), 2 * (lane & 3) + (i & 1)};
}

// Returns the cell of the 8x8 matrix that is element i (0..1) of the register
// which ldmatrix gives a lane for it; with .trans, of the matrix as stored.
constexpr Cell CellOfMatrix(int lane, int i, bool transpose) {
  const int along = 2 * (lane & 3) + i;
  return transpose ? Cell{along, lane >> 2} : Cell{lane >> 2, along};
}

// A row of a tile in shared memory, and 16 bytes (8 elements) of it.
struct TileChunk {
  int row = 0;
  int chunk = 0;
};

// Returns what a lane addresses so that ldmatrix.x4 yields A of k-step `step`
// from rows [row, k]: registers 0..3 are those of A.
constexpr TileChunk ChunkForA(int lane, int step) {
  return {lane & 15, 2 * step + (lane >> 4)};
}

// Returns what a lane addresses so that ldmatrix.x4 yields B of k-step `step`
// from rows [n, k] for columns 16 * pair + (0..15): registers 0, 1 are those
// of the first eight columns, 2, 3 of the others.
constexpr TileChunk ChunkForB(int lane, int pair, int step) {
  return {16 * pair + (lane & 7) + 8 * (lane >> 4),
          2 * step + ((lane >> 3) & 1)};
}

// The same from rows [k, n], with ldmatrix.x4.trans.
constexpr TileChunk ChunkForTransposedB(int lane, int pair, int step) {
  return {16 * step + (lane & 15), 2 * pair + (lane >> 4)};
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_FRAGMENT_H_

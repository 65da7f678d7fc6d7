#include "kernels/cuda/tiles/fragment.h"

#include <array>
#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Counts the distinct cells of a fragment within [rows, columns].
template <typename CellOf>
size_t CountCells(CellOf cell_of, int elements, int rows, int columns) {
  std::set<std::pair<int, int>> cells;
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int i = 0; i < elements; ++i) {
      const Cell cell = cell_of(lane, i);
      if (cell.row < rows && cell.column < columns) {
        cells.insert({cell.row, cell.column});
      }
    }
  }
  return cells.size();
}

TEST(FragmentTest, EveryCellHasOneOwner) {
  EXPECT_EQ(CountCells(CellOfA, 8, 16, 16), 16 * 16);
  EXPECT_EQ(CountCells(CellOfB, 4, 16, 8), 16 * 8);
  EXPECT_EQ(CountCells(CellOfC, 4, 16, 8), 16 * 8);
}

// Returns the cell of a tile that ldmatrix.x4 puts into element i (0..7) of a
// lane, if every lane addresses what `chunk_of` says.
template <typename ChunkOf>
Cell LoadedCell(ChunkOf chunk_of, bool transpose, int lane, int i) {
  const Cell in_matrix = CellOfMatrix(lane, i % 2, transpose);
  const TileChunk row = chunk_of(8 * (i / 2) + in_matrix.row);
  return {row.row, row.chunk * kChunkElements + in_matrix.column};
}

TEST(FragmentTest, LdmatrixYieldsA) {
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int i = 0; i < 8; ++i) {
      const Cell want = CellOfA(lane, i);

      const Cell got =
          LoadedCell([](int l) { return ChunkForA(l, 3); }, false, lane, i);

      EXPECT_EQ(got, (Cell{want.row, 3 * 16 + want.column}));
    }
  }
}

TEST(FragmentTest, LdmatrixYieldsTwoBFromRowsOfColumns) {
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int i = 0; i < 8; ++i) {
      const Cell want = CellOfB(lane, i % 4);  // row is k, column is n

      const Cell got =
          LoadedCell([](int l) { return ChunkForB(l, 2, 1); }, false, lane, i);

      EXPECT_EQ(got, (Cell{16 * 2 + 8 * (i / 4) + want.column, 16 + want.row}));
    }
  }
}

TEST(FragmentTest, TransposingLdmatrixYieldsTwoBFromRowsOfSteps) {
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int i = 0; i < 8; ++i) {
      const Cell want = CellOfB(lane, i % 4);

      const Cell got = LoadedCell(
          [](int l) { return ChunkForTransposedB(l, 2, 1); }, true, lane, i);

      EXPECT_EQ(got, (Cell{16 + want.row, 16 * 2 + 8 * (i / 4) + want.column}));
    }
  }
}

TEST(FragmentTest, TwoAccumulatorsAreAnA) {
  // Scores of two neighbouring blocks of eight keys, packed in pairs, are the
  // probabilities' fragment for the product with sixteen values.
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int i = 0; i < 8; ++i) {
      const Cell in_block = CellOfC(lane, i % 4);
      const Cell as_scores = {in_block.row, in_block.column + 8 * (i / 4)};

      EXPECT_EQ(CellOfA(lane, i), as_scores);
    }
  }
}

}  // namespace
}  // namespace tessera::kernels::cuda

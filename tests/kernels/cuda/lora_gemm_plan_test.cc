#include "kernels/cuda/lora_gemm_plan.h"

#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Stands for any weights in device memory.
constexpr char kWeights = 0;

LoraSegment Segment(int64_t begin, int64_t end, int64_t lora_rank) {
  return {.row_begin = begin,
          .row_end = end,
          .down = &kWeights,
          .up = &kWeights,
          .lora_rank = lora_rank};
}

TEST(LoraGemmPlanTest, GivesEachSegmentItsPlaceInTheWorkspace) {
  std::vector<LoraSegment> segments = {Segment(0, 10, 4), Segment(5, 8, 16),
                                       Segment(90, 91, 9)};

  const LoraGemmPlan plan = PlanLoraGemm(segments);

  // Rows of 4, 16 and 9 ranks take 8, 16 and 16 elements.
  EXPECT_EQ(segments[0].hidden, 0);
  EXPECT_EQ(segments[1].hidden, 10 * 8);
  EXPECT_EQ(segments[2].hidden, 10 * 8 + 3 * 16);
  EXPECT_EQ(plan.hidden_elements, 10 * 8 + 3 * 16 + 1 * 16);
  for (const LoraSegment& segment : segments) {
    EXPECT_EQ(segment.hidden % kChunkElements, 0);
  }
}

TEST(LoraGemmPlanTest, TilesCoverAllSegmentsAndNoRowBefore) {
  std::vector<LoraSegment> segments = {Segment(300, 428, 16),
                                       Segment(100, 165, 40)};

  const LoraGemmPlan plan = PlanLoraGemm(segments);

  EXPECT_EQ(plan.first_row, 100);
  EXPECT_GE(plan.first_row + plan.row_tiles * kTileRows, 428);
  EXPECT_LT(plan.first_row + (plan.row_tiles - 1) * kTileRows, 428);
  EXPECT_EQ(plan.segment_tiles, 2);
  EXPECT_EQ(plan.shrink_columns, 64);
  EXPECT_EQ(plan.rank_tiles, 1);
}

TEST(LoraGemmPlanTest, NothingIsLaunchedForEmptySegmentsAndZeroStrength) {
  std::vector<LoraSegment> segments = {Segment(5, 5, 16), Segment(0, 9, 16)};
  segments[1].scale = 0;

  EXPECT_EQ(PlanLoraGemm(segments).row_tiles, 0);
  EXPECT_EQ(PlanLoraGemm({}).row_tiles, 0);
}

TEST(LoraGemmPlanTest, ProjectedRowsNeedNoFirstProduct) {
  std::vector<LoraSegment> segments = {Segment(0, 64, 16)};
  segments[0].down = nullptr;

  const LoraGemmPlan plan = PlanLoraGemm(segments);

  EXPECT_EQ(plan.row_tiles, 1);
  EXPECT_EQ(plan.rank_tiles, 0);
  EXPECT_EQ(plan.hidden_elements, 0);
}

// Shared memory has 32 banks of 4 bytes; ldmatrix reads the 16 bytes of eight
// rows at once.
TEST(ProductTileTest, MatricesMeetNoBankConflict) {
  for (int chunk = 0; chunk < kTileChunks; ++chunk) {
    for (int row = 0; row < kTileRows; row += 8) {
      std::set<int> banks;
      for (int r = 0; r < 8; ++r) {
        banks.insert(TileOffset(row + r, chunk) / 16 % 8);
      }
      EXPECT_EQ(banks.size(), 8u) << row << " " << chunk;
    }
  }
}

TEST(ProductTileTest, StagesKeepToTheSharedMemoryOfEveryDevice) {
  // 4 stages for 64 ranks, with room for two blocks an SM of 8.6.
  EXPECT_LE(4 * StageBytes(kMaxShrinkColumns), 100 * 1024);
  EXPECT_EQ(StageBytes(16) % 128, 0);
  EXPECT_EQ(StageBytes(64) % 128, 0);
}

}  // namespace
}  // namespace tessera::kernels::cuda

#include "gtest/gtest.h"
#include "kernels/cuda/group_norm_plan.h"
#include "kernels/cuda/layer_norm_plan.h"

namespace tessera::kernels::cuda {
namespace {

// Shared memory that sm_80 gives a block on request.
constexpr int64_t kMaxSharedBytes = 163 * 1024;

// Checks what the kernels take for granted.
void ExpectSound(int64_t pixels, int64_t channels, int64_t groups,
                 int element_bytes) {
  SCOPED_TRACE(testing::Message() << pixels << "x" << channels << "/" << groups
                                  << " of " << element_bytes);
  const GroupNormPlan plan =
      PlanGroupNorm(pixels, channels, groups, element_bytes);

  EXPECT_EQ(plan.chunks * plan.chunk_groups, groups);
  EXPECT_EQ(plan.chunks * plan.chunk_packs * plan.width, channels);
  EXPECT_LE(plan.threads(), kGroupNormThreads);
  EXPECT_EQ(plan.threads() % 32, 0);
  EXPECT_GE(plan.threads(), plan.pack_threads * plan.lanes);
  EXPECT_LE(plan.shared_bytes, kMaxSharedBytes);
  EXPECT_LE(plan.chunks, 65535);
  int64_t covered = 0;
  for (int64_t slice = 0; slice < plan.slices; ++slice) {
    EXPECT_GE(plan.PixelsOf(slice, pixels), 1);
    covered += plan.PixelsOf(slice, pixels);
  }
  EXPECT_EQ(covered, pixels);
}

TEST(GroupNormPlanTest, CoversEveryPixelAndChannelOnce) {
  for (const int64_t pixels : {1, 31, 32, 63, 64, 1000, 4096, 65536, 1048576}) {
    for (const int64_t channels :
         {32, 64, 96, 320, 640, 960, 1280, 1920, 2560}) {
      ExpectSound(pixels, channels, 32, 2);
      ExpectSound(pixels, channels, 32, 4);
    }
    ExpectSound(pixels, 7, 7, 2);
    ExpectSound(pixels, 30, 3, 2);
    ExpectSound(pixels, 16384, 1, 2);
    ExpectSound(pixels, 16383, 3, 4);
  }
}

TEST(GroupNormPlanTest, ModelsAreReadInWholeLinesAndFillADevice) {
  // SD 1.5's largest level: 64x64 pixels of 320 channels.
  const GroupNormPlan plan = PlanGroupNorm(4096, 320, 32, 2);

  EXPECT_EQ(plan.width, 8);
  EXPECT_GE(plan.chunk_packs * 16, kMinChunkBytes);
  EXPECT_GE(plan.slices * plan.chunks, 132);
}

TEST(LayerNormPlanTest, HoldsTheRowsOfEveryModel) {
  for (const int64_t channels : {320, 640, 768, 1024, 1280, 2048}) {
    const LayerNormPlan plan = PlanLayerNorm(channels, 2);

    EXPECT_TRUE(plan.held);
    EXPECT_EQ(plan.packs * plan.width, channels);
    EXPECT_GE(plan.lane_packs * 32, plan.packs);
  }
}

TEST(LayerNormPlanTest, OddRowsHaveNarrowPacks) {
  EXPECT_EQ(PlanLayerNorm(321, 2).width, 1);
  EXPECT_FALSE(PlanLayerNorm(8193, 2).held);
}

}  // namespace
}  // namespace tessera::kernels::cuda

#include "kernels/cuda/elementwise_plan.h"

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

TEST(ElementwisePlanTest, PacksCoverAlignedElementsAndTheTailTheRest) {
  for (const int64_t elements : {0, 1, 7, 8, 9, 255, 4096, 1000003}) {
    const ElementwisePlan plan = PlanElementwise(elements, 2, 0x1000);

    EXPECT_EQ(plan.width, 8);
    EXPECT_EQ(plan.packs * plan.width + plan.tail, elements);
    EXPECT_LT(plan.tail, plan.width);
  }
}

TEST(ElementwisePlanTest, OneUnalignedOperandMakesPacksOfOne) {
  const ElementwisePlan plan = PlanElementwise(100, 4, 0x1000 | 0x2004);

  EXPECT_EQ(plan.width, 1);
  EXPECT_EQ(plan.packs, 100);
  EXPECT_EQ(plan.tail, 0);
}

TEST(ElementwisePlanTest, NothingToDoNeedsNoBlock) {
  EXPECT_EQ(PlanElementwise(0, 2, 0).blocks, 0);
}

// The tail runs on the threads after the last pack's: no thread may be short
// of one when the grid is not at its bound.
TEST(ElementwisePlanTest, EveryPackAndTailElementHasAThread) {
  for (const int64_t elements : {1, 255, 256, 257, 2048, 2049, 2055}) {
    const ElementwisePlan plan = PlanElementwise(elements, 2, 0);

    EXPECT_GE(plan.blocks * kElementwiseThreads, plan.packs + plan.tail);
  }
}

TEST(ElementwisePlanTest, HugeTensorsKeepTheGridAtItsBound) {
  const int64_t elements = int64_t{5} << 32;

  const ElementwisePlan plan = PlanElementwise(elements, 2, 0);

  EXPECT_EQ(plan.packs, elements / 8);
  EXPECT_EQ(plan.blocks, kMaxElementwiseBlocks);
}

}  // namespace
}  // namespace tessera::kernels::cuda

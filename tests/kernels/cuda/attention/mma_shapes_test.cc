#include "kernels/cuda/attention/mma_shapes.h"

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Shared memory that a thread block may have: A100, RTX 4090, H100.
constexpr int64_t kA100 = 163 * 1024;
constexpr int64_t kRtx4090 = 99 * 1024;
constexpr int64_t kH100 = 227 * 1024;

// Returns the shape that is chosen, all zeros if there is none.
MmaShape Choose(int64_t head_dim, int64_t keys, int64_t limit) {
  const auto choice = ChooseMmaShape(head_dim, keys, limit);
  return choice ? kMmaShapes[*choice] : MmaShape();
}

TEST(MmaShapesTest, EveryShapeIsCoveredByTheTileAlgorithm) {
  for (const MmaShape& shape : kMmaShapes) {
    EXPECT_TRUE(shape.valid()) << shape.head_dim << " " << shape.keys;
    EXPECT_LE(shape.shared_bytes(), kA100);
    EXPECT_LE(shape.threads(), 256);
  }
}

TEST(MmaShapesTest, HeadsOfTheModelsHaveTheirOwnShapes) {
  for (const int64_t head_dim : {40, 64, 80, 128, 160, 512}) {
    EXPECT_EQ(Choose(head_dim, 4096, kH100).head_dim, head_dim);
    EXPECT_NE(Choose(head_dim, 4096, kH100).keys, 80);
  }
}

TEST(MmaShapesTest, PromptsGetOneBlockOfEightyKeys) {
  for (const int64_t head_dim : {40, 64, 80, 128, 160}) {
    EXPECT_EQ(Choose(head_dim, 77, kH100).keys, 80);
    EXPECT_EQ(Choose(head_dim, 65, kH100).keys, 80);
    EXPECT_EQ(Choose(head_dim, 80, kH100).keys, 80);
    EXPECT_NE(Choose(head_dim, 64, kH100).keys, 80);
    EXPECT_NE(Choose(head_dim, 81, kH100).keys, 80);
  }
}

TEST(MmaShapesTest, OtherHeadsArePaddedToTheNextShape) {
  EXPECT_EQ(Choose(8, 100, kH100).head_dim, 32);
  EXPECT_EQ(Choose(48, 100, kH100).head_dim, 64);
  EXPECT_EQ(Choose(104, 77, kH100).head_dim, 128);
  EXPECT_EQ(Choose(192, 100, kH100).head_dim, 256);
  EXPECT_EQ(Choose(504, 100, kH100).head_dim, 512);
}

TEST(MmaShapesTest, SmallSharedMemoryGetsTheSmallerShape) {
  EXPECT_EQ(Choose(512, 4096, kA100).split, 2);
  EXPECT_EQ(Choose(512, 4096, kRtx4090).split, 4);
  for (const int64_t head_dim : {40, 64, 80, 128, 160, 256}) {
    EXPECT_EQ(Choose(head_dim, 4096, kRtx4090), Choose(head_dim, 4096, kH100));
  }
}

TEST(MmaShapesTest, NothingIsChosenWhereNothingFits) {
  EXPECT_FALSE(ChooseMmaShape(513, 64, kH100).has_value());
  EXPECT_FALSE(ChooseMmaShape(64, 64, 1024).has_value());
}

}  // namespace
}  // namespace tessera::kernels::cuda

#include "kernels/cuda/conv2d_choice.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Numbers of cudnn_graph.h.
constexpr int64_t kTileSize = 2, kStages = 14;
constexpr int64_t kSplitK = 0, kSplitKBuf = 12, kSplitKSlc = 17;
constexpr int64_t kSplitKMode = 16, kStreamK = 38;
constexpr int kTensorCore = 0, kNonDeterministic = 4, kWinograd = 5;

TEST(Conv2dKeyTest, PaddingAndStrideGiveTheSizeOfTheResult) {
  const Conv2dKey same = {.height = 64,
                          .width = 48,
                          .kernel_height = 3,
                          .kernel_width = 3,
                          .top = 1,
                          .left = 1,
                          .bottom = 1,
                          .right = 1};
  Conv2dKey halved = same;
  halved.stride = 2;

  EXPECT_EQ(same.out_height(), 64);
  EXPECT_EQ(same.out_width(), 48);
  EXPECT_EQ(halved.out_height(), 32);
  EXPECT_EQ(halved.out_width(), 24);
}

TEST(EngineChoiceTest, KnobsThatSplitSumsAreTold) {
  EXPECT_TRUE(SplitsNoSum({41, {{kTileSize, 9}, {kStages, 4}}}));
  EXPECT_TRUE(SplitsNoSum({41, {{kSplitK, 1}, {kSplitKBuf, 0}}}));

  // What cuDNN suggests for one picture of 8x8 pixels and 1,280 channels.
  EXPECT_FALSE(SplitsNoSum({23, {{kSplitKBuf, 4}, {kSplitKSlc, 256}}}));
  EXPECT_FALSE(SplitsNoSum({23, {{kTileSize, 9}, {kSplitK, 2}}}));
  EXPECT_FALSE(SplitsNoSum({23, {{kSplitKMode, 1}}}));
  EXPECT_FALSE(SplitsNoSum({23, {{kStreamK, 1}}}));
}

TEST(EngineChoiceTest, NotesOfInexactEnginesAreTold) {
  EXPECT_TRUE(IsExactEnough(std::vector<int>{}));
  EXPECT_TRUE(IsExactEnough(std::vector<int>{kTensorCore}));

  EXPECT_FALSE(IsExactEnough(std::vector<int>{kTensorCore, kNonDeterministic}));
  EXPECT_FALSE(IsExactEnough(std::vector<int>{kWinograd}));
}

TEST(EngineChoiceTest, ReadsWellInMessages) {
  EXPECT_EQ((EngineChoice{41, {{2, 9}, {14, 4}}}.ToString()),
            "engine 41, knobs 2=9 14=4");
}

}  // namespace
}  // namespace tessera::kernels::cuda

#include "kernels/cuda/tiles/key_blocks.h"

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

TEST(KeyBlocksTest, CountsBlocksThatHoldKeys) {
  EXPECT_EQ((KeyBlocks{.keys = 1, .rows = 128, .block = 64}).count(), 1);
  EXPECT_EQ((KeyBlocks{.keys = 64, .rows = 128, .block = 64}).count(), 1);
  EXPECT_EQ((KeyBlocks{.keys = 65, .rows = 128, .block = 64}).count(), 2);
  EXPECT_EQ((KeyBlocks{.keys = 77, .rows = 64, .block = 80}).count(), 1);
}

TEST(KeyBlocksTest, MasksOnlyTheLastBlockIfKeysEndInIt) {
  const KeyBlocks ragged = {.keys = 130, .rows = 128, .block = 64};
  EXPECT_FALSE(ragged.Masks(0));
  EXPECT_FALSE(ragged.Masks(1));
  EXPECT_TRUE(ragged.Masks(2));

  const KeyBlocks whole = {.keys = 128, .rows = 128, .block = 64};
  EXPECT_FALSE(whole.Masks(1));
}

TEST(KeyBlocksTest, CausalTilesStopAtTheirLastQuery) {
  const KeyBlocks blocks = {.keys = 1000,
                            .first_query = 128,
                            .rows = 128,
                            .block = 64,
                            .causal = true};
  EXPECT_EQ(blocks.count(), 4);
  EXPECT_FALSE(blocks.Masks(1));
  EXPECT_TRUE(blocks.Masks(2));
  EXPECT_TRUE(blocks.Masks(3));
}

TEST(KeyBlocksTest, LastCausalTileStopsAtTheLastKey) {
  const KeyBlocks blocks = {.keys = 200,
                            .first_query = 128,
                            .rows = 128,
                            .block = 64,
                            .causal = true};
  EXPECT_EQ(blocks.count(), 4);
}

TEST(KeyBlocksTest, EveryVisibleKeyIsInAnUnmaskedOrMaskedBlock) {
  // Whatever a walk leaves out or does not compare, no query may see or not
  // see wrongly.
  for (const bool causal : {false, true}) {
    for (int64_t first = 0; first < 200; first += 32) {
      const KeyBlocks blocks = {.keys = 150,
                                .first_query = first,
                                .rows = 32,
                                .block = 48,
                                .causal = causal};
      for (int64_t query = first; query < first + 32; ++query) {
        for (int64_t key = 0; key < 200; ++key) {
          const bool sees = key < 150 && (!causal || key <= query);
          const bool walked = key / 48 < blocks.count();
          EXPECT_EQ(blocks.Sees(query, key), sees);
          EXPECT_TRUE(!sees || walked);
          EXPECT_TRUE(sees || !walked || blocks.Masks(key / 48));
        }
      }
    }
  }
}

TEST(KeyBlocksTest, CountsBeyondThirtyTwoBits) {
  const KeyBlocks blocks = {.keys = int64_t{1} << 33, .rows = 64, .block = 64};
  EXPECT_EQ(blocks.count(), int64_t{1} << 27);
  EXPECT_FALSE(blocks.Masks(blocks.count() - 1));
}

}  // namespace
}  // namespace tessera::kernels::cuda

#include "kernels/cuda/tiles/swizzle.h"

#include <set>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// Returns which of the eight groups of four banks an offset lies in.
int BankGroup(int offset) { return offset / kChunkBytes % 8; }

template <typename Tile>
class SwizzleTest : public testing::Test {};

using Tiles = testing::Types<
    SwizzledTile<64, 16>, SwizzledTile<64, 32>, SwizzledTile<128, 48>,
    SwizzledTile<128, 64>, SwizzledTile<80, 64>, SwizzledTile<64, 80>,
    SwizzledTile<64, 96>, SwizzledTile<32, 128>, SwizzledTile<80, 160>,
    SwizzledTile<64, 256>, SwizzledTile<16, 512>>;
TYPED_TEST_SUITE(SwizzleTest, Tiles);

TYPED_TEST(SwizzleTest, EveryChunkHasItsOwnPlace) {
  constexpr int kCount = TypeParam::kBytes / kChunkBytes;
  std::set<int> places;
  for (int i = 0; i < kCount; ++i) {
    const int offset = TypeParam::Offset(TypeParam::InPageOrder(i));
    EXPECT_EQ(offset % kChunkBytes, 0);
    EXPECT_LT(offset, TypeParam::kBytes);
    EXPECT_GE(offset, 0);
    places.insert(offset);
  }
  EXPECT_EQ(places.size(), static_cast<size_t>(kCount));
}

TYPED_TEST(SwizzleTest, EightRowsOfAChunkColumnTouchAllBanks) {
  constexpr int kRows = TypeParam::kBytes / TypeParam::kChunks / kChunkBytes;
  for (int row = 0; row < kRows; row += 8) {
    for (int chunk = 0; chunk < TypeParam::kChunks; ++chunk) {
      std::set<int> groups;
      for (int r = 0; r < 8; ++r) {
        groups.insert(BankGroup(TypeParam::Offset({row + r, chunk})));
      }
      EXPECT_EQ(groups.size(), 8u) << "row " << row << ", chunk " << chunk;
    }
  }
}

TYPED_TEST(SwizzleTest, EightChunksInPageOrderTouchAllBanks) {
  for (int i = 0; i < TypeParam::kBytes / kChunkBytes; i += 8) {
    std::set<int> groups;
    for (int j = 0; j < 8; ++j) {
      groups.insert(
          BankGroup(TypeParam::Offset(TypeParam::InPageOrder(i + j))));
    }
    EXPECT_EQ(groups.size(), 8u) << "from " << i;
  }
}

TEST(SwizzlePatternTest, WidePageIsTheXorOfTensorMaps) {
  // The pattern of 128-byte swizzled tensor maps: a ^ ((a >> 7 & 7) << 4).
  using Tile = SwizzledTile<16, 64>;
  for (int row = 0; row < 16; ++row) {
    for (int chunk = 0; chunk < 8; ++chunk) {
      const int plain = row * 128 + chunk * 16;
      EXPECT_EQ(Tile::Offset({row, chunk}), plain ^ ((plain >> 7 & 7) << 4));
    }
  }
}

}  // namespace
}  // namespace tessera::kernels::cuda

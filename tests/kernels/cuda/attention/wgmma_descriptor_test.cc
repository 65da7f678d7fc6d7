#include "kernels/cuda/tiles/wgmma_descriptor.h"

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// The fields of a descriptor, in bytes.
struct Fields {
  uint32_t address, leading, stride;
};

Fields Decode(uint64_t descriptor) {
  return {static_cast<uint32_t>(descriptor & 0x3FFF) << 4,
          static_cast<uint32_t>(descriptor >> 16 & 0x3FFF) << 4,
          static_cast<uint32_t>(descriptor >> 32 & 0x3FFF) << 4};
}

// Where the ISA's canonical layouts put an element of 16 bits. K-major: groups
// of 8 rows of 128 bytes. MN-major: 64 elements along n are a row of 128 bytes,
// 8 such rows along k a group; `leading` is from one 64 to the next.
uint32_t AddressKMajor(const Fields& f, int row, int k) {
  return Swizzle128(f.address + row / 8 * f.stride + row % 8 * 128 + k * 2);
}
uint32_t AddressMnMajor(const Fields& f, int n, int k) {
  return Swizzle128(f.address + n / 64 * f.leading + k / 8 * f.stride +
                    k % 8 * 128 + n % 64 * 2);
}

// Where a copy by tensor map puts an element of a tile of `rows` rows: a box a
// page, rows of 128 bytes, chunks of 16 bytes exchanged by the address.
uint32_t AddressCopied(uint32_t tile, int rows, int row, int column) {
  return Swizzle128(tile + column / 64 * rows * 128 + row * 128 +
                    column % 64 * 2);
}

// A tile somewhere in shared memory, aligned as tiles are.
constexpr uint32_t kTile = 37 * 1024;

TEST(WgmmaDescriptorTest, FieldsAreWhereTheIsaSays) {
  const uint64_t d = EncodeDescriptor(0x12340, 0x4000, 1024);
  EXPECT_EQ(d & 0x3FFF, 0x1234u);
  EXPECT_EQ(d >> 16 & 0x3FFF, 0x400u);
  EXPECT_EQ(d >> 32 & 0x3FFF, 64u);
  EXPECT_EQ(d >> 49 & 7, 0u);  // base offset: tiles are aligned
  EXPECT_EQ(d >> 62, 1u);      // 128-byte swizzle
  EXPECT_EQ(d >> 14 & 3, 0u);
  EXPECT_EQ(d >> 30 & 3, 0u);
  EXPECT_EQ(d >> 46 & 7, 0u);
}

TEST(WgmmaDescriptorTest, RowsAreReadWhereTheyWereCopied) {
  for (const int pages : {1, 2}) {
    for (int step = 0; step < 4 * pages; ++step) {
      const Fields f = Decode(DescribeRows(kTile, 128, step));
      for (int row = 0; row < 128; ++row) {
        for (int k = 0; k < 16; ++k) {
          ASSERT_EQ(AddressKMajor(f, row, k),
                    AddressCopied(kTile, 128, row, 16 * step + k))
              << "row " << row << ", k " << k << ", step " << step;
        }
      }
    }
  }
}

TEST(WgmmaDescriptorTest, SecondConsumersRowsAreReadWhereTheyWereCopied) {
  const Fields f = Decode(DescribeRows(kTile + 64 * 128, 128, 5));
  for (int row = 0; row < 64; ++row) {
    for (int k = 0; k < 16; ++k) {
      ASSERT_EQ(AddressKMajor(f, row, k),
                AddressCopied(kTile, 128, 64 + row, 5 * 16 + k));
    }
  }
}

TEST(WgmmaDescriptorTest, ColumnsAreReadWhereTheyWereCopied) {
  for (const int width : {64, 128}) {
    for (int step = 0; step < 8; ++step) {
      const Fields f = Decode(DescribeColumns(kTile, 128, step));
      for (int n = 0; n < width; ++n) {
        for (int k = 0; k < 16; ++k) {
          ASSERT_EQ(AddressMnMajor(f, n, k),
                    AddressCopied(kTile, 128, 16 * step + k, n))
              << "n " << n << ", k " << k << ", step " << step;
        }
      }
    }
  }
}

TEST(WgmmaDescriptorTest, SwizzleIsItsOwnInverse) {
  for (uint32_t address = 0; address < 4096; ++address) {
    EXPECT_EQ(Swizzle128(Swizzle128(address)), address);
  }
}

}  // namespace
}  // namespace tessera::kernels::cuda

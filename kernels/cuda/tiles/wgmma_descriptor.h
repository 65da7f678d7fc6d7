// How wgmma is told where an operand lies in shared memory.
//
// PTX ISA, "Matrix Descriptor Format" and "Strides". Tiles are pages of rows of
// 64 elements of 16 bits, 128 bytes a row, with the 128-byte swizzle: what a
// tensor map with a box of 64 such columns writes.
#ifndef TESSERA_KERNELS_CUDA_TILES_WGMMA_DESCRIPTOR_H_
#define TESSERA_KERNELS_CUDA_TILES_WGMMA_DESCRIPTOR_H_

#include <cstdint>

namespace tessera::kernels::cuda {

// A row of a page, and elements in it.
inline constexpr int kPageRowBytes = 128;
inline constexpr int kPageColumns = 64;

// The swizzle repeats after 8 rows; pages start at multiples of that.
inline constexpr int kSwizzleBytes = 8 * kPageRowBytes;

// Returns where a byte of a page lies: an XOR of address bits 4-6 with bits
// 7-9, on the address in shared memory itself.
constexpr uint32_t Swizzle128(uint32_t address) {
  return address ^ ((address >> 7 & 7) << 4);
}

// Returns a descriptor for an operand at `address`, with the byte offsets that
// the ISA calls leading and stride dimension, in the 128-byte swizzle.
constexpr uint64_t EncodeDescriptor(uint32_t address, uint32_t leading_bytes,
                                    uint32_t stride_bytes) {
  constexpr uint64_t k128ByteSwizzle = uint64_t{1} << 62;
  return uint64_t{(address & 0x3FFFF) >> 4} |
         uint64_t{(leading_bytes & 0x3FFFF) >> 4} << 16 |
         uint64_t{(stride_bytes & 0x3FFFF) >> 4} << 32 | k128ByteSwizzle;
}

// Describes k-step `step` (16 columns) of a tile whose rows are m or n and
// whose columns are k: `rows` rows a page, pages side by side. Rows repeat in
// groups of eight; the leading offset has no meaning and is 1 by convention.
constexpr uint64_t DescribeRows(uint32_t address, int rows, int step) {
  const int page = step / 4, in_page = step % 4;
  return EncodeDescriptor(address + page * rows * kPageRowBytes + in_page * 32,
                          16, kSwizzleBytes);
}

// Describes k-step `step` (16 rows) of a tile whose rows are k and whose
// columns are n: `rows` rows a page, pages side by side. The leading offset is
// from one page of 64 columns to the next, the stride from 8 rows to the next.
constexpr uint64_t DescribeColumns(uint32_t address, int rows, int step) {
  return EncodeDescriptor(address + step * 16 * kPageRowBytes,
                          rows * kPageRowBytes, kSwizzleBytes);
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_WGMMA_DESCRIPTOR_H_

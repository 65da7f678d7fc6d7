#include <algorithm>
#include <cstring>

#include "kernels/cpu/op_table.h"
#include "kernels/packed_weights.h"
#include "kernels/weight_order.h"

namespace tessera::kernels::cpu {
namespace {

// Shortens the name where offsets are computed.
constexpr int64_t kColumns = PackedWeights::kPanelColumns;

// Elements of each output that are turned together: a panel's block of them
// stays in the nearest cache.
constexpr int64_t kBlock = 256;

// Elements of four outputs that are turned in registers.
constexpr int64_t kTile = 4;

// Four floats in a register, of whatever instruction set: compilers have them
// as a language extension, and no arithmetic is done here.
using Quad = float __attribute__((vector_size(16)));

// Reads four floats, which need no alignment.
Quad LoadQuad(const float* from) {
  Quad quad;
  std::memcpy(&quad, from, sizeof quad);
  return quad;
}

// Stores elements [0, valid) of four outputs, which lie kBlock apart, as rows
// of a panel; `rows` point at the first output's column of each.
void StoreTile(const float* outputs, int64_t valid, float* const* rows) {
  const Quad a = LoadQuad(outputs), b = LoadQuad(outputs + kBlock);
  const Quad c = LoadQuad(outputs + 2 * kBlock);
  const Quad d = LoadQuad(outputs + 3 * kBlock);
  // Pairs elements first, then pairs of them.
  const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const Quad turned[kTile] = {
      __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
      __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
      __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
      __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int64_t j = 0; j < valid; ++j) {
    std::memcpy(rows[j], &turned[j], sizeof turned[j]);
  }
}

// Packs outputs [first, first + 16), or as many as there are, into `panel`.
void PackPanel(const WeightMatrix& matrix, int64_t first, float* panel) {
  const int64_t k = matrix.k(), taps = matrix.taps();
  const int64_t lanes = std::min(kColumns, matrix.n - first);
  alignas(64) float block[kColumns * kBlock];
  int64_t tap = 0, channel = 0;  // of the next element
  for (int64_t begin = 0; begin < k; begin += kBlock) {
    const int64_t count = std::min(kBlock, k - begin);
    for (int64_t lane = 0; lane < kColumns; ++lane) {
      float* const output = block + lane * kBlock;
      if (lane < lanes) {
        matrix.Read((first + lane) * k + begin, count, output);
        // Zeroes outputs that there are not, so that a tile may compute them.
      } else {
        std::fill_n(output, count, 0.0f);
      }
      // Ends with a whole tile.
      std::fill_n(output + count, -count & (kTile - 1), 0.0f);
    }
    for (int64_t i = 0; i < count; i += kTile) {
      const int64_t valid = std::min(kTile, count - i);
      // Turns [channels, taps], the checkpoint's order, to [taps, channels]:
      // taps are outermost, so that a tile of the product walks the channels of
      // one input pixel contiguously.
      float* rows[kTile] = {};
      for (int64_t j = 0; j < valid; ++j) {
        rows[j] = panel + (tap * matrix.channels + channel) * kColumns;
        if (++tap == taps) {
          tap = 0;
          ++channel;
        }
      }
      for (int64_t lane = 0; lane < kColumns; lane += kTile) {
        StoreTile(block + lane * kBlock + i, valid, rows);
        for (float*& at : rows) at += kTile;
      }
    }
  }
}

}  // namespace

absl::StatusOr<Tensor> PackWeights(Device&, const WeightMatrix& matrix) {
  const int64_t k = matrix.k();
  const int64_t panels = (matrix.n + kColumns - 1) / kColumns;
  Tensor packed(Shape{panels, k, kColumns}, DType::kF32);
  for (int64_t first = 0; first < matrix.n; first += kColumns) {
    PackPanel(matrix, first, packed.f32() + first * k);
  }
  return packed;
}

absl::StatusOr<Tensor> UnpackWeights(const PackedWeights& weights) {
  const int64_t channels = weights.input_channels(), k = weights.k();
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  Tensor unpacked(
      Shape{weights.n(), channels, weights.kernel_h(), weights.kernel_w()},
      DType::kF32);
  for (int64_t row = 0; row < weights.n(); ++row) {
    const float* const column =
        weights.panels() + row / kColumns * k * kColumns + row % kColumns;
    ChannelsFirst(column, kColumns, channels, taps, unpacked.f32() + row * k);
  }
  return unpacked;
}

}  // namespace tessera::kernels::cpu

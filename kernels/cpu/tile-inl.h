// The one register tile under gemm, convolution and attention.
//
// A tile is kTileRows rows by kTilePanels panels of 16 columns: 6 x 16 with
// AVX2 (12 accumulators, 2 of B, 1 of A: 15 of 16 registers) and 12 x 32 with
// AVX-512 (24 + 2 + 1 of 32). Every output is one chain of fused
// multiply-adds along k, so bits depend neither on the tile's shape nor on the
// vector width. A's rows are read where they lie, through a pointer each.

// Per-target include guard.
#if defined(TESSERA_KERNELS_CPU_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_KERNELS_CPU_TILE_INL_H_
#undef TESSERA_KERNELS_CPU_TILE_INL_H_
#else
#define TESSERA_KERNELS_CPU_TILE_INL_H_
#endif

#include <cstdint>
#include <utility>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

// Lanes of a vector, vectors across a panel, and the tile that fills the
// registers (above); one row for the baseline, which never runs.
inline constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
inline constexpr int kPanelVectors = 16 / kLanes;
inline constexpr int kTileRows = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 1;
inline constexpr int kTilePanels = kLanes == 16 ? 2 : 1;

// The left operand's rows under every tap, and the packed right operand.
struct TileInput {
  const float* const* rows;  // [taps][row_pitch] pointers, each to `channels`
  int64_t taps;
  int64_t row_pitch;  // pointers from tap to tap
  int64_t channels;
  const float* panels;   // first panel: [taps * channels][16]
  int64_t panel_stride;  // floats from panel to panel
};

// Computes an R-row, P-panel tile: init(r, v) gives each accumulator's first
// value, every k is added in order, store(r, v, x) takes the results. The
// unroll pragmas keep the accumulators in registers: without them g++ 12 -O2
// goes through memory.
template <int R, int P, class Init, class Store>
HWY_INLINE void Tile(const TileInput& in, const Init& init,
                     const Store& store) {
  constexpr int kV = P * kPanelVectors;
  const D d;
  V acc[R][kV];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kV; ++v) acc[r][v] = init(r, v);
  }
  const float* b0 = in.panels;
  const float* b1 = in.panels + (P > 1 ? in.panel_stride : 0);
  // Goes over k as (tap, channel): one chain an output, never split.
  for (int64_t tap = 0; tap < in.taps; ++tap) {
    const float* a[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) a[r] = in.rows[tap * in.row_pitch + r];
    for (int64_t c = 0; c < in.channels; ++c) {
      V b[kV];
#pragma GCC unroll 16
      for (int v = 0; v < kPanelVectors; ++v) {
        b[v] = hn::Load(d, b0 + v * kLanes);
        if constexpr (P > 1) {
          b[kPanelVectors + v] = hn::Load(d, b1 + v * kLanes);
        }
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const V x = hn::Set(d, a[r][c]);
#pragma GCC unroll 16
        for (int v = 0; v < kV; ++v) acc[r][v] = hn::MulAdd(x, b[v], acc[r][v]);
      }
      b0 += 16;
      b1 += 16;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kV; ++v) store(r, v, acc[r][v]);
  }
}

// Picks the instance for this many rows; every height has its own code, so that
// a short last tile computes no row twice.
template <int P, class Init, class Store, int... Rs>
HWY_INLINE void TileOfRows(int rows, const TileInput& in, const Init& init,
                           const Store& store,
                           std::integer_sequence<int, Rs...>) {
  ((rows == Rs + 1 ? Tile<Rs + 1, P>(in, init, store) : (void)0), ...);
}

// Computes a tile of 1 to kTileRows rows and 1 to kTilePanels panels.
template <class Init, class Store>
HWY_NOINLINE void AnyTile(int rows, int panels, const TileInput& in,
                          const Init& init, const Store& store) {
  constexpr auto kRowCounts = std::make_integer_sequence<int, kTileRows>();
  if (panels == kTilePanels) {
    TileOfRows<kTilePanels>(rows, in, init, store, kRowCounts);
  } else {
    TileOfRows<1>(rows, in, init, store, kRowCounts);
  }
}

// Loads or stores a vector of which only the first `count` lanes exist; count
// may be beyond the vector or not positive.
HWY_INLINE V LoadSome(const float* from, int64_t count) {
  const D d;
  if (count >= kLanes) return hn::LoadU(d, from);
  if (count <= 0) return hn::Zero(d);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
}
HWY_INLINE void StoreSome(V x, float* to, int64_t count) {
  const D d;
  if (count >= kLanes) {
    hn::StoreU(x, d, to);
  } else if (count > 0) {
    hn::BlendedStore(x, hn::FirstN(d, static_cast<size_t>(count)), d, to);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

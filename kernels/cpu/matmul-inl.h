// Rows times packed weights: the loop that gemm and convolution share.
//
// The rows are cut into blocks of 48 and the panels into chunks that stay in
// the second-level cache; every (chunk, block) pair is a task, split over the
// threads by fixed arithmetic. Results leave the registers finished: per-row
// vector, activation and residual are applied there.

// Per-target include guard.
#if defined(TESSERA_KERNELS_CPU_MATMUL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_KERNELS_CPU_MATMUL_INL_H_
#undef TESSERA_KERNELS_CPU_MATMUL_INL_H_
#else
#define TESSERA_KERNELS_CPU_MATMUL_INL_H_
#endif

#include <algorithm>
#include <optional>

#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/packed_weights.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// A multiple of both tile heights, small enough that 48 rows of 576 channels
// (108 KiB) stay in the second-level cache beside a chunk of panels.
inline constexpr int64_t kBlockRows = 48;
// Half of a 512 KiB second-level cache.
inline constexpr int64_t kChunkBytes = 256 << 10;

// Where a block's rows come from and go to. Pointers live in the thread's
// workspace.
struct RowBlock {
  const float** rows = nullptr;       // [taps][kBlockRows]
  const float* add[kBlockRows];       // vector of N to add, or null
  const float* residual[kBlockRows];  // N to add after activation, or null
  float* out[kBlockRows];             // N results
};

// Starts each output's chain from its bias, as the ops promise; columns beyond
// the row start from 0.
struct BiasInit {
  const float* bias;  // of the tile's first column, or null
  int64_t columns;    // columns from there to the end of the row
  HWY_INLINE V operator()(int, int v) const {
    if (bias == nullptr) return hn::Zero(D());
    return LoadSome(bias + v * kLanes, columns - v * kLanes);
  }
};

// Finishes a tile where its sums are still in registers: adds the row's vector,
// activates, adds the residual, in this order, and stores.
struct RowStore {
  const float* const* add;
  const float* const* residual;
  float* const* out;
  int64_t column;   // first column of the tile
  int64_t columns;  // columns from there to the end of the row
  Activation activation;

  HWY_INLINE void operator()(int r, int v, V x) const {
    const int64_t at = column + v * kLanes, left = columns - v * kLanes;
    if (add[r] != nullptr) x = hn::Add(x, LoadSome(add[r] + at, left));
    if (activation != Activation::kNone) x = Apply(activation, x);
    if (residual[r] != nullptr) {
      x = hn::Add(x, LoadSome(residual[r] + at, left));
    }
    StoreSome(x, out[r] + at, left);
  }
};

// Returns the elements of an optional tensor, or null.
inline float* OrNull(const std::optional<TensorView>& view) {
  return view.has_value() ? view->f32() : nullptr;
}

// Computes one block of `count` rows by the panels [first, last).
HWY_INLINE void MatmulBlock(const PackedWeights& weights, const float* bias,
                            Activation activation, const RowBlock& block,
                            int64_t count, int64_t first, int64_t last) {
  // Streams the chunk's panels past the block's rows, which stay in the
  // second-level cache.
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  const int64_t panel_stride = weights.k() * PackedWeights::kPanelColumns;
  for (int64_t p = first; p < last; p += kTilePanels) {
    const int panels =
        static_cast<int>(std::min<int64_t>(kTilePanels, last - p));
    const int64_t column = p * PackedWeights::kPanelColumns;
    const BiasInit init{bias == nullptr ? nullptr : bias + column,
                        weights.n() - column};
    for (int64_t r = 0; r < count; r += kTileRows) {
      const int rows =
          static_cast<int>(std::min<int64_t>(kTileRows, count - r));
      const TileInput in{block.rows + r,
                         taps,
                         kBlockRows,
                         weights.input_channels(),
                         weights.panels() + p * panel_stride,
                         panel_stride};
      const RowStore store{block.add + r, block.residual + r,   block.out + r,
                           column,        weights.n() - column, activation};
      AnyTile(rows, panels, in, init, store);
    }
  }
}

// Computes `m` rows. fill(first_row, count, block, zeros) sets the pointers of
// a block, and may point taps at the row of zeros. `bias` has N elements or is
// null.
template <class Fill>
HWY_INLINE void Matmul(ThreadPool& pool, int64_t m,
                       const PackedWeights& weights, const float* bias,
                       Activation activation, const Fill& fill) {
  const int64_t taps = weights.kernel_h() * weights.kernel_w();
  const int64_t panel_bytes = weights.k() * PackedWeights::kPanelColumns * 4;
  const int64_t panels = weights.panel_count();
  // Rounds up to whole tiles, so that a chunk boundary splits none.
  int64_t chunk = std::max<int64_t>(1, kChunkBytes / panel_bytes);
  chunk = (chunk + kTilePanels - 1) / kTilePanels * kTilePanels;
  const int64_t chunks = (panels + chunk - 1) / chunk;
  const int64_t blocks = (m + kBlockRows - 1) / kBlockRows;
  pool.ParallelFor(
      chunks * blocks, [&](int64_t begin, int64_t end, int thread) HWY_ATTR {
        float* const workspace = pool.workspace(thread);
        RowBlock block;
        // Keeps the pointers (two floats each) and the zeros in this thread's
        // workspace; the ops bound taps and channels so that both fit.
        block.rows = reinterpret_cast<const float**>(workspace);
        float* const zeros = workspace + 2 * taps * kBlockRows;
        std::fill_n(zeros, weights.input_channels(), 0.0f);
        for (int64_t task = begin; task < end; ++task) {
          // Orders tasks chunk by chunk: a thread meets all its blocks of rows
          // before it loads the next chunk of weights.
          const int64_t first_panel = task / blocks * chunk;
          const int64_t first_row = task % blocks * kBlockRows;
          const int64_t count = std::min(kBlockRows, m - first_row);
          fill(first_row, count, block, zeros);
          MatmulBlock(weights, bias, activation, block, count, first_panel,
                      std::min(panels, first_panel + chunk));
        }
      });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

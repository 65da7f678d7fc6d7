#include "kernels/ops/attention.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include <algorithm>
#include <limits>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Queries a task takes: packing a block of keys costs 1 part in 4 * kQueryRows
// of the arithmetic on it. A multiple of both tile heights.
inline constexpr int64_t kQueryRows = 96;
// Keys in a block: scores of 96 queries by 256 keys are 96 KiB.
inline constexpr int64_t kKeyBlock = 256;

// Rounds up to whole panels of 16 columns.
constexpr int64_t RoundUp16(int64_t n) { return (n + 15) / 16 * 16; }

// Starts every score at 0: q k' has no bias.
struct ZeroInit {
  HWY_INLINE V operator()(int, int) const { return hn::Zero(D()); }
};

// Keeps scores times the scale; rows are kKeyBlock long.
struct ScoreStore {
  float* scores;
  float scale;
  HWY_INLINE void operator()(int r, int v, V x) const {
    hn::StoreU(hn::Mul(x, hn::Set(D(), scale)), D(),
               scores + r * kKeyBlock + v * kLanes);
  }
};

// Goes on from the weighted sums so far and keeps them.
struct SumInit {
  const float* sums;
  int64_t stride;
  HWY_INLINE V operator()(int r, int v) const {
    return hn::LoadU(D(), sums + r * stride + v * kLanes);
  }
};
// Keeps the weighted sums where SumInit finds them, so that blocks of keys
// extend one chain of fused multiply-adds.
struct SumStore {
  float* sums;
  int64_t stride;
  HWY_INLINE void operator()(int r, int v, V x) const {
    hn::StoreU(x, D(), sums + r * stride + v * kLanes);
  }
};

// The memory a task works in, all inside the thread's workspace.
struct AttentionScratch {
  float* keys;     // [key panels][D][16]
  float* values;   // [D panels][keys][16]
  float* scores;   // [kQueryRows][kKeyBlock]
  float* sums;     // [kQueryRows][D rounded up]
  float* highest;  // [kQueryRows] running maximum
  float* total;    // [kQueryRows] running sum of exponentials
};

// Lays a thread's workspace out; a head_dim of at most 1024, which the op
// checks, makes it fit. Every part starts on a cache line, for tiles load
// panels aligned.
AttentionScratch Divide(float* workspace, int64_t head_dim) {
  const int64_t wide = RoundUp16(head_dim);
  AttentionScratch s;
  s.keys = workspace;
  s.values = s.keys + kKeyBlock * wide;
  s.scores = s.values + kKeyBlock * wide;
  s.sums = s.scores + kQueryRows * kKeyBlock;
  s.highest = s.sums + kQueryRows * wide;
  s.total = s.highest + kQueryRows;
  return s;
}

// Packs keys [first, first + count) of one head as panels of 16 keys.
void PackKeys(const float* k, int64_t stride, int64_t count, int64_t head_dim,
              float* to) {
  // Fills the last panel's missing keys with zeros, whose scores SoftmaxRow
  // then replaces.
  for (int64_t key = 0; key < RoundUp16(count); ++key) {
    float* const column = to + key / 16 * 16 * head_dim + key % 16;
    for (int64_t d = 0; d < head_dim; ++d) {
      column[d * 16] = key < count ? k[key * stride + d] : 0.0f;
    }
  }
}

// Packs values of the same keys as panels of 16 columns.
void PackValues(const float* v, int64_t stride, int64_t count, int64_t head_dim,
                float* to) {
  for (int64_t d = 0; d < head_dim; d += 16) {
    const int64_t left = head_dim - d;
    // Holds exactly `count` rows a panel, and zeros beyond head_dim.
    for (int64_t key = 0; key < count; ++key) {
      for (int64_t lane = 0; lane < 16; lane += kLanes) {
        hn::StoreU(LoadSome(v + key * stride + d + lane, left - lane), D(), to);
        to += kLanes;
      }
    }
  }
}

// Turns one row of scores into exponentials relative to the new maximum, and
// brings the row's running values to it.
void SoftmaxRow(float* scores, int64_t count, float* sums, int64_t wide,
                float* highest, float* total) {
  const D d;
  const int64_t padded = RoundUp16(count);
  // Gives the keys that pad the last panel weight e^-inf = 0.
  std::fill(scores + count, scores + padded,
            -std::numeric_limits<float>::infinity());
  V top = hn::Set(d, *highest);
  for (int64_t i = 0; i < padded; i += kLanes) {
    top = hn::Max(top, hn::LoadU(d, scores + i));
  }
  // Is finite from the first block on: key 0 is there, and even a causal query
  // sees it.
  const float now = hn::GetLane(hn::MaxOfLanes(d, top));
  const V shift = hn::Set(d, now);
  V partial[kPanelVectors];
  for (int v = 0; v < kPanelVectors; ++v) partial[v] = hn::Zero(d);
  // Sums into 16 partials by column modulo 16, whatever the vector width.
  for (int64_t i = 0; i < padded; i += 16) {
    for (int v = 0; v < kPanelVectors; ++v) {
      float* const at = scores + i + v * kLanes;
      const V p = Exp(hn::Sub(hn::LoadU(d, at), shift));
      hn::StoreU(p, d, at);
      partial[v] = hn::Add(partial[v], p);
    }
  }
  HWY_ALIGN float partials[16];
  for (int v = 0; v < kPanelVectors; ++v) {
    hn::Store(partial[v], d, partials + v * kLanes);
  }
  const float fade =
      hn::GetLane(Exp(hn::Set(d, *highest - now)));  // 0 for the first block
  *total = *total * fade + SumOf16(partials);
  *highest = now;
  // Brings the sums of earlier blocks to the new maximum (Milakov and
  // Gimelshein 2018, the recurrence that FlashAttention tiles).
  for (int64_t i = 0; i < wide; i += kLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, sums + i), hn::Set(d, fade)), d, sums + i);
  }
}

// Multiplies `count` rows by packed panels of `k` rows, tile by tile; make_init
// and make_store are handed a tile's first row and first panel.
template <class MakeInit, class MakeStore>
HWY_INLINE void Multiply(const float* const* rows, int64_t count, int64_t k,
                         const float* panels, int64_t num_panels,
                         const MakeInit& make_init,
                         const MakeStore& make_store) {
  for (int64_t p = 0; p < num_panels; p += kTilePanels) {
    const int64_t wide = std::min<int64_t>(kTilePanels, num_panels - p);
    for (int64_t r = 0; r < count; r += kTileRows) {
      const int64_t tall = std::min<int64_t>(kTileRows, count - r);
      const TileInput in{rows + r, 1, kQueryRows, k, panels + p * k * 16,
                         k * 16};
      AnyTile(static_cast<int>(tall), static_cast<int>(wide), in,
              make_init(r, p), make_store(r, p));
    }
  }
}

// Computes queries [first, first + count) of one head of one batch row, by
// blocks of keys that start at multiples of kKeyBlock, so that neither the
// chunk of queries nor the thread shows in the bits.
void AttendQueries(const AttentionArgs& args, int64_t n, int64_t head,
                   int64_t first, int64_t count, float* workspace) {
  const int64_t dim = args.head_dim, wide = RoundUp16(dim);
  const AttentionScratch s = Divide(workspace, dim);
  const int64_t queries = args.q.shape[1], all_keys = args.k.shape[1];
  const int64_t q_width = args.q.shape[2];
  const int64_t k_width = args.k.shape[2], v_width = args.v.shape[2];
  // Points at this head's columns of the first query, and of all keys and
  // values.
  const float* const q = args.q.f32() + args.q_column + head * dim +
                         (n * queries + first) * q_width;
  const float* const k =
      args.k.f32() + args.k_column + head * dim + n * all_keys * k_width;
  const float* const v =
      args.v.f32() + args.v_column + head * dim + n * all_keys * v_width;
  // Points into q and the scores; a row of scores is then a row of the second
  // product's left operand.
  const float* q_rows[kQueryRows];
  const float* score_rows[kQueryRows];
  for (int64_t r = 0; r < count; ++r) {
    q_rows[r] = q + r * q_width;
    score_rows[r] = s.scores + r * kKeyBlock;
    s.highest[r] = -std::numeric_limits<float>::infinity();
    s.total[r] = 0;
  }
  std::fill_n(s.sums, count * wide, 0.0f);
  // Leaves out the keys that no query of this chunk may see.
  const int64_t keys =
      args.causal ? std::min(all_keys, first + count) : all_keys;
  for (int64_t key = 0; key < keys; key += kKeyBlock) {
    const int64_t block = std::min(kKeyBlock, keys - key);
    PackKeys(k + key * k_width, k_width, block, dim, s.keys);
    PackValues(v + key * v_width, v_width, block, dim, s.values);
    // Computes scores [count, block] = scale * q k'.
    Multiply(
        q_rows, count, dim, s.keys, (block + 15) / 16,
        [](int64_t, int64_t) { return ZeroInit{}; },
        [&](int64_t r, int64_t p) {
          return ScoreStore{s.scores + r * kKeyBlock + p * 16, args.scale};
        });
    for (int64_t r = 0; r < count; ++r) {
      float* const row = s.scores + r * kKeyBlock;
      // Hides the keys after each query; a causal row keeps at least key 0.
      if (args.causal) {
        for (int64_t i = std::max<int64_t>(0, first + r + 1 - key); i < block;
             ++i) {
          row[i] = -std::numeric_limits<float>::infinity();
        }
      }
      SoftmaxRow(row, block, s.sums + r * wide, wide, s.highest + r,
                 s.total + r);
    }
    // Adds scores [count, block] times values [block, head_dim] to the sums.
    Multiply(
        score_rows, count, block, s.values, wide / 16,
        [&](int64_t r, int64_t p) {
          return SumInit{s.sums + r * wide + p * 16, wide};
        },
        [&](int64_t r, int64_t p) {
          return SumStore{s.sums + r * wide + p * 16, wide};
        });
  }
  // Divides by the total once, at the end, into columns [head * dim, (head + 1)
  // * dim) of the output rows.
  for (int64_t r = 0; r < count; ++r) {
    float* const out =
        args.out.f32() + ((n * queries + first + r) * args.heads + head) * dim;
    const V total = hn::Set(D(), s.total[r]);
    for (int64_t i = 0; i < dim; i += kLanes) {
      StoreSome(hn::Div(hn::LoadU(D(), s.sums + r * wide + i), total), out + i,
                dim - i);
    }
  }
}

// Splits into tasks of (batch row, head, kQueryRows queries), each written by
// one thread alone.
void AttentionOnTarget(ThreadPool& pool, const AttentionArgs& args) {
  const int64_t queries = args.q.shape[1];
  const int64_t chunks = (queries + kQueryRows - 1) / kQueryRows;
  pool.ParallelFor(args.q.shape[0] * args.heads * chunks,
                   [&](int64_t begin, int64_t end, int thread) {
                     for (int64_t task = begin; task < end; ++task) {
                       const int64_t first = task % chunks * kQueryRows;
                       AttendQueries(args, task / chunks / args.heads,
                                     task / chunks % args.heads, first,
                                     std::min(kQueryRows, queries - first),
                                     pool.workspace(thread));
                     }
                   });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(AttentionOnTarget);

void Attention(Stream& stream, const AttentionArgs& args) {
  HWY_DYNAMIC_DISPATCH(AttentionOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

// Attention of one tile of queries: what a thread block does.
//
// Scores of kRows queries against kKeys keys at a time stay in accumulators,
// become probabilities there, and are, as they lie, the A operand of the
// product with the values: the score matrix is never stored (Dao 2023,
// FlashAttention-2). K and V have one buffer each: V is fetched while scores
// are computed, the next K while V is used. The tensor cores are the roof:
// 4 * kRows * kKeys * head_dim flops a block of keys for 4 * kKeys * head_dim
// bytes, so tiles of 64 rows and more stay above what L2 delivers.
//
// Warps are kRows / kWarpRows groups of rows; kSplit warps share a group when
// a head is so wide that its outputs would not fit the registers of one. Each
// of those sums its part of the head into the scores and holds its part of the
// columns of the output; the partial scores meet in shared memory and are
// added by all of them in the same order.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_MMA_TILE_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_MMA_TILE_H_

#include <cstdint>

#include "kernels/cuda/attention/mma_shape.h"
#include "kernels/cuda/attention/task.h"
#include "kernels/cuda/tiles/device_code.h"
#include "kernels/cuda/tiles/fragment.h"
#include "kernels/cuda/tiles/key_blocks.h"
#include "kernels/cuda/tiles/online_softmax.h"
#include "kernels/cuda/tiles/swizzle.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Runs a task on a Cta (a DeviceCta or its emulation) with kShape.threads().
// Columns from `columns` on are taken as zeros up to the shape's head_dim.
template <typename Cta, MmaShape kShape, DType kElement>
class MmaAttentionTile {
 public:
  TESSERA_DEVICE MmaAttentionTile(Cta& cta, const AttentionTask& task)
      : cta_(cta),
        task_(task),
        blocks_{task.k.rows, task.first_query, kShape.rows, kShape.keys,
                task.causal} {}

  // Computes and writes the tile's outputs.
  TESSERA_DEVICE void Run() {
    int64_t block = blocks_.count() - 1;
    Begin();
    Fill<QTile>(kQOffset, task_.q, task_.first_query);
    Fill<KvTile>(kKOffset, task_.k, block * kShape.keys);
    cta_.CommitCopies();
    for (; block >= 0; --block) {
      cta_.template WaitCopies<0>();
      cta_.Barrier();  // K is there, and nobody reads V any more
      Fill<KvTile>(kVOffset, task_.v, block * kShape.keys);
      cta_.CommitCopies();
      Scores();
      cta_.template WaitCopies<0>();
      cta_.Barrier();  // V is there, partial scores too; nobody reads K
      if (block > 0) {
        Fill<KvTile>(kKOffset, task_.k, (block - 1) * kShape.keys);
      }
      cta_.CommitCopies();
      if constexpr (kShape.split > 1) JoinScores();
      if (blocks_.Masks(block)) Mask(block * kShape.keys);
      Softmax();
      Outputs();
    }
    Finish();
  }

 private:
  using QTile = SwizzledTile<kShape.rows, kShape.padded_head_dim()>;
  using KvTile = SwizzledTile<kShape.keys, kShape.padded_head_dim()>;

  static constexpr int kQOffset = 0;
  static constexpr int kKOffset = kShape.q_bytes();
  static constexpr int kVOffset = kKOffset + kShape.kv_bytes();
  static constexpr int kPartialOffset = kVOffset + kShape.kv_bytes();

  static constexpr int kRowTiles = kShape.warp_rows() / 16;  // of 16 rows
  static constexpr int kKeyTiles = kShape.keys / 8;
  static constexpr int kStateRows = 2 * kRowTiles;  // of a thread
  static constexpr int kSteps = kShape.padded_head_dim() / 16 / kShape.split;
  static constexpr int kOutTiles = kShape.head_dim / 8 / kShape.split;

  // Copies rows first .. of an operand to a tile; zeroes where there are none.
  template <typename Tile>
  TESSERA_DEVICE void Fill(int offset, const HeadRows& from, int64_t first) {
    constexpr int kCount = Tile::kBytes / kChunkBytes;
    constexpr int kRounds = (kCount + Cta::kThreads - 1) / Cta::kThreads;
    cta_.Each([&](int thread) {
#pragma unroll
      for (int round = 0; round < kRounds; ++round) {
        const int index = round * Cta::kThreads + thread;
        if (kCount % Cta::kThreads != 0 && index >= kCount) break;
        const TileChunk at = Tile::InPageOrder(index);
        const int64_t row = first + at.row;
        const int column = at.chunk * kChunkElements;
        const bool valid = row < from.rows && column < from.columns;
        const uint16_t* source =
            valid ? from.data + row * from.pitch + column : from.data;
        cta_.CopyAsync(thread, offset + Tile::Offset(at), source, valid);
      }
    });
  }

  // Starts every row with no key seen.
  TESSERA_DEVICE void Begin() {
    cta_.Each([&](int thread) {
#pragma unroll
      for (int r = 0; r < kStateRows; ++r) {
        maximum_.of(thread)[r] = RowMaximum();
        sum_.of(thread)[r] = 0.0f;
      }
#pragma unroll
      for (int i = 0; i < kRowTiles * kOutTiles * 4; ++i) {
        out_.of(thread)[i] = 0.0f;
      }
    });
  }

  // scores_ = q k' over this warp's part of the head.
  TESSERA_DEVICE void Scores() {
    cta_.Each([&](int thread) {
#pragma unroll
      for (int i = 0; i < kRowTiles * kKeyTiles * 4; ++i) {
        scores_.of(thread)[i] = 0.0f;
      }
    });
    typename Cta::template Registers<uint32_t, kRowTiles * 4> q;
    typename Cta::template Registers<uint32_t, 4> k;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
        cta_.template LoadMatrices<false>(q, 4 * m, [&](int thread) {
          TileChunk at = ChunkForA(LaneOf(thread), FirstStep(thread) + step);
          at.row += FirstRow(thread) + 16 * m;
          return kQOffset + QTile::Offset(at);
        });
      }
#pragma unroll
      for (int pair = 0; pair < kKeyTiles / 2; ++pair) {
        cta_.template LoadMatrices<false>(k, 0, [&](int thread) {
          return kKOffset + KvTile::Offset(ChunkForB(LaneOf(thread), pair,
                                                     FirstStep(thread) + step));
        });
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          const int at = ScoreIndex(m, 2 * pair);
          cta_.template Mma<kElement>(scores_, at, q, 4 * m, k, 0);
          cta_.template Mma<kElement>(scores_, at + 4, q, 4 * m, k, 2);
        }
      }
    }
    if constexpr (kShape.split > 1) StorePartialScores();
  }

  // Leaves this warp's part of the scores to the warps it shares rows with.
  TESSERA_DEVICE void StorePartialScores() {
    cta_.Each([&](int thread) {
#pragma unroll
      for (int i = 0; i < kRowTiles * kKeyTiles * 4; i += 2) {
        const float* s = scores_.of(thread) + i;
        cta_.Store64(thread, PartialOffset(thread, PartOf(thread), i), s[0],
                     s[1]);
      }
    });
  }

  // Adds the parts of the scores, the first one first.
  TESSERA_DEVICE void JoinScores() {
    cta_.Each([&](int thread) {
#pragma unroll
      for (int i = 0; i < kRowTiles * kKeyTiles * 4; i += 2) {
        float* s = scores_.of(thread) + i;
        cta_.Load64(thread, PartialOffset(thread, 0, i), s, s + 1);
#pragma unroll
        for (int part = 1; part < kShape.split; ++part) {
          float x, y;
          cta_.Load64(thread, PartialOffset(thread, part, i), &x, &y);
          s[0] += x;
          s[1] += y;
        }
      }
    });
  }

  // Takes out scores of keys that a row does not see.
  TESSERA_DEVICE void Mask(int64_t first_key) {
    cta_.Each([&](int thread) {
      const int64_t first_query = task_.first_query + FirstRow(thread);
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
        for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const Cell cell = CellOfC(LaneOf(thread), i);
            if (!blocks_.Sees(first_query + 16 * m + cell.row,
                              first_key + 8 * j + cell.column)) {
              scores_.of(thread)[ScoreIndex(m, j) + i] = kMasked;
            }
          }
        }
      }
    });
  }

  // Turns scores into probabilities relative to the rows' new maxima, and
  // scales what was summed relative to the old ones.
  TESSERA_DEVICE void Softmax() {
    typename Cta::template Registers<float, kStateRows> largest;
    cta_.Each([&](int thread) {
#pragma unroll
      for (int r = 0; r < kStateRows; ++r) {
        float& x = largest.of(thread)[r];
        x = kMasked;
#pragma unroll
        for (int j = 0; j < kKeyTiles; ++j) {
          const float* s = scores_.of(thread) + RowScores(r, j);
          x = Cta::Max(x, Cta::Max(s[0], s[1]));
        }
      }
    });
    cta_.QuadMax(largest);
    cta_.Each([&](int thread) {
#pragma unroll
      for (int r = 0; r < kStateRows; ++r) {
        RowMaximum& maximum = maximum_.of(thread)[r];
        const float factor = maximum.template Raise<Cta>(largest.of(thread)[r] *
                                                         task_.scale_log2);
        float sum = sum_.of(thread)[r] * factor;
#pragma unroll
        for (int j = 0; j < kKeyTiles; ++j) {
          float* s = scores_.of(thread) + RowScores(r, j);
          s[0] = Probability<Cta>(s[0], task_.scale_log2, maximum.Reference());
          s[1] = Probability<Cta>(s[1], task_.scale_log2, maximum.Reference());
          sum += s[0] + s[1];
        }
        sum_.of(thread)[r] = sum;
#pragma unroll
        for (int j = 0; j < kOutTiles; ++j) {
          float* o = out_.of(thread) + RowOutputs(r, j);
          o[0] *= factor;
          o[1] *= factor;
        }
      }
    });
  }

  // out_ += probabilities v, over this warp's columns.
  TESSERA_DEVICE void Outputs() {
    typename Cta::template Registers<uint32_t, kRowTiles * 4> p;
    typename Cta::template Registers<uint32_t, 4> v;
#pragma unroll
    for (int step = 0; step < kKeyTiles / 2; ++step) {
      cta_.Each([&](int thread) {
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          const float* s = scores_.of(thread) + ScoreIndex(m, 2 * step);
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            p.of(thread)[4 * m + i] =
                Cta::template Pack<kElement>(s[2 * i], s[2 * i + 1]);
          }
        }
      });
#pragma unroll
      for (int pair = 0; pair < (kOutTiles + 1) / 2; ++pair) {
        cta_.template LoadMatrices<true>(v, 0, [&](int thread) {
          TileChunk at = ChunkForTransposedB(LaneOf(thread), pair, step);
          at.chunk += PartOf(thread) * kOutTiles;
          return kVOffset + KvTile::Offset(at);
        });
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          const int at = OutIndex(m, 2 * pair);
          cta_.template Mma<kElement>(out_, at, p, 4 * m, v, 0);
          if (2 * pair + 1 < kOutTiles) {
            cta_.template Mma<kElement>(out_, at + 4, p, 4 * m, v, 2);
          }
        }
      }
    }
  }

  // Divides by the sums and writes the rows, 16 bytes at a time, by way of the
  // queries' shared memory.
  TESSERA_DEVICE void Finish() {
    cta_.QuadSum(sum_);
    // Nobody reads queries after the last barrier of the loop.
    cta_.Each([&](int thread) {
#pragma unroll
      for (int r = 0; r < kStateRows; ++r) {
        const float inverse = InverseSum(sum_.of(thread)[r]);
        const Cell cell = CellOfC(LaneOf(thread), 2 * (r % 2));
        const int row = FirstRow(thread) + 16 * (r / 2) + cell.row;
#pragma unroll
        for (int j = 0; j < kOutTiles; ++j) {
          const float* o = out_.of(thread) + RowOutputs(r, j);
          cta_.Store32(
              thread,
              kQOffset + QTile::Offset({row, PartOf(thread) * kOutTiles + j}) +
                  cell.column * 2,
              Cta::template Pack<kElement>(o[0] * inverse, o[1] * inverse));
        }
      }
    });
    cta_.WarpBarrier();
    WriteRows();
  }

  // Writes this warp's rows and columns, those that exist.
  TESSERA_DEVICE void WriteRows() {
    constexpr int kCount = kShape.warp_rows() * kOutTiles;
    cta_.Each([&](int thread) {
#pragma unroll 4
      for (int i = LaneOf(thread); i < kCount; i += kWarpLanes) {
        const int row = FirstRow(thread) + i / kOutTiles;
        const int chunk = PartOf(thread) * kOutTiles + i % kOutTiles;
        const int64_t query = task_.first_query + row;
        if (query >= task_.q.rows || chunk * 8 >= task_.q.columns) continue;
        cta_.StoreGlobal(
            thread, task_.out + query * task_.out_pitch + chunk * 8,
            cta_.Load128(thread, kQOffset + QTile::Offset({row, chunk})));
      }
    });
  }

  static constexpr int LaneOf(int thread) { return thread & 31; }
  static constexpr int WarpOf(int thread) { return thread >> 5; }
  // A warp's part of the head, and its first row of the tile.
  static constexpr int PartOf(int thread) {
    return WarpOf(thread) % kShape.split;
  }
  static constexpr int FirstRow(int thread) {
    return WarpOf(thread) / kShape.split * kShape.warp_rows();
  }
  static constexpr int FirstStep(int thread) { return PartOf(thread) * kSteps; }

  // Where accumulators of row tile m and key or column tile j begin.
  static constexpr int ScoreIndex(int m, int j) {
    return (m * kKeyTiles + j) * 4;
  }
  static constexpr int OutIndex(int m, int j) {
    return (m * kOutTiles + j) * 4;
  }
  // Where the two elements of a thread's row r in tile j begin.
  static constexpr int RowScores(int r, int j) {
    return ScoreIndex(r / 2, j) + 2 * (r % 2);
  }
  static constexpr int RowOutputs(int r, int j) {
    return OutIndex(r / 2, j) + 2 * (r % 2);
  }

  // Where part `part` of a thread's scores i, i + 1 lies: lanes side by side.
  static constexpr int PartialOffset(int thread, int part, int i) {
    const int warp = WarpOf(thread) / kShape.split * kShape.split + part;
    return kPartialOffset +
           ((warp * kRowTiles * kKeyTiles * 2 + i / 2) * kWarpLanes +
            LaneOf(thread)) *
               8;
  }

  Cta& cta_;
  const AttentionTask& task_;
  const KeyBlocks blocks_;
  typename Cta::template Registers<float, kRowTiles * kKeyTiles * 4> scores_;
  typename Cta::template Registers<float, kRowTiles * kOutTiles * 4> out_;
  typename Cta::template Registers<RowMaximum, kStateRows> maximum_;
  typename Cta::template Registers<float, kStateRows> sum_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_MMA_TILE_H_

// Grouped low-rank products, two kernels whatever the number of adapters.
//
// Shrink: a block computes x A' of 64 rows of one segment for 16 to 64 ranks;
// bound by reading x. Expand: a block owns 64 rows and 64 columns of the
// output, holds them in registers in f32, lets each segment that touches the
// rows add its product in the order given, and rounds once; bound by reading
// and writing the output.

#include <algorithm>

#include "kernels/cuda/element.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/lora_gemm.h"
#include "kernels/cuda/product_tile.cuh"

namespace tessera::kernels::cuda {
namespace {

// Stages under way hide the latency of reading x; the second product is rarely
// deeper than one stage.
constexpr int kShrinkStages = 4;
constexpr int kExpandStages = 2;

// Returns the tile's first row of x, at the first column read.
template <typename T>
__device__ inline const T* RowOfX(const LoraGemmParams& params, int64_t row) {
  return static_cast<const T*>(params.x) + row * params.x_width +
         params.x_column;
}

// Grid (segment tiles, rank tiles, segments).
template <typename T, int kColumns>
__global__ void __launch_bounds__(kTileThreads)
    ShrinkKernel(LoraGemmParams params, bool x_aligned) {
  const LoraSegment segment = params.segments[blockIdx.z];
  const int64_t first_row = segment.row_begin + int64_t{blockIdx.x} * kTileRows;
  const int64_t first_rank = int64_t{blockIdx.y} * kColumns;
  const int64_t pitch = HiddenPitch(segment.lora_rank);
  if (segment.down == nullptr || segment.scale == 0 ||
      first_row >= segment.row_end || first_rank >= pitch) {
    return;  // the whole block
  }
  const auto rows = static_cast<int>(
      std::min<int64_t>(kTileRows, segment.row_end - first_row));
  const auto ranks = static_cast<int>(std::min<int64_t>(
      kColumns, std::max<int64_t>(0, segment.lora_rank - first_rank)));
  const TileRows<T> x = {RowOfX<T>(params, first_row), params.x_width, 0, rows,
                         x_aligned};
  const TileRows<T> down = {
      static_cast<const T*>(segment.down) + first_rank * params.k, params.k, 0,
      ranks, params.down_aligned};
  float sum[kColumns / 8][4] = {};
  MultiplyTiles<kColumns, kShrinkStages>(sum, SharedMemory<char>(), x, down,
                                         params.k);

  // Ranks up to the pitch are written, too: they are zeros.
  const int lane = threadIdx.x % kWarpLanes;
  T* const hidden = static_cast<T*>(params.workspace) + segment.hidden;
#pragma unroll
  for (int block = 0; block < kColumns / 8; ++block) {
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
      const Cell cell = CellOfC(lane, i);
      const int row = 16 * (threadIdx.x / kWarpLanes) + cell.row;
      const int64_t rank = first_rank + 8 * block + cell.column;
      if (row < rows && rank < pitch) {
        const Pack<T, 2> pair = {FromFloat<T>(sum[block][i]),
                                 FromFloat<T>(sum[block][i + 1])};
        const int64_t index = first_row - segment.row_begin + row;
        *reinterpret_cast<Pack<T, 2>*>(hidden + index * pitch + rank) = pair;
      }
    }
  }
}

// Returns a segment's x A' for the tile's rows.
template <typename T>
__device__ inline TileRows<T> HiddenRows(const LoraGemmParams& params,
                                         const LoraSegment& segment,
                                         int64_t first_row, bool x_aligned) {
  TileRows<T> rows;
  if (segment.down == nullptr) {
    rows.first = RowOfX<T>(params, first_row);
    rows.pitch = params.x_width;
    rows.aligned = x_aligned;
  } else {
    rows.pitch = HiddenPitch(segment.lora_rank);
    rows.first = static_cast<const T*>(params.workspace) + segment.hidden +
                 (first_row - segment.row_begin) * rows.pitch;
    rows.aligned = true;
  }
  rows.begin =
      static_cast<int>(std::max<int64_t>(0, segment.row_begin - first_row));
  rows.end = static_cast<int>(
      std::min<int64_t>(kTileRows, segment.row_end - first_row));
  return rows;
}

// Loads two neighbouring values of a row of `columns`, at once if `paired`.
template <typename T>
__device__ inline void LoadPair(const T* row, int column, int columns,
                                bool paired, float* values) {
  if (paired && column < columns) {
    const auto pair = *reinterpret_cast<const Pack<T, 2>*>(row + column);
    values[0] = ToFloat(pair.v[0]);
    values[1] = ToFloat(pair.v[1]);
    return;
  }
  for (int i = 0; i < 2; ++i) {
    if (column + i < columns) values[i] = ToFloat(row[column + i]);
  }
}

// Stores two such values, rounded.
template <typename T>
__device__ inline void StorePair(T* row, int column, int columns, bool paired,
                                 const float* values) {
  if (paired && column < columns) {
    *reinterpret_cast<Pack<T, 2>*>(row + column) = {FromFloat<T>(values[0]),
                                                    FromFloat<T>(values[1])};
    return;
  }
  for (int i = 0; i < 2; ++i) {
    if (column + i < columns) row[column + i] = FromFloat<T>(values[i]);
  }
}

// Grid (row tiles, column tiles).
template <typename T>
__global__ void __launch_bounds__(kTileThreads)
    ExpandKernel(LoraGemmParams params, bool x_aligned) {
  const int lane = threadIdx.x % kWarpLanes;
  const int warp_row = 16 * (threadIdx.x / kWarpLanes);
  const int64_t first_row =
      params.plan.first_row + int64_t{blockIdx.x} * kTileRows;
  const int64_t first_column = int64_t{blockIdx.y} * kExpandColumns;
  T* const out = static_cast<T*>(params.out) + first_row * params.out_width +
                 params.out_column + first_column;
  const auto columns = static_cast<int>(
      std::min<int64_t>(kExpandColumns, params.n - first_column));
  const bool paired =
      (params.n | params.out_width | params.out_column) % 2 == 0 &&
      reinterpret_cast<uintptr_t>(params.out) % sizeof(Pack<T, 2>) == 0;

  // The f32 values so far, and which of this thread's two rows have any.
  float value[kExpandColumns / 8][4] = {};
  bool touched[2] = {};
  for (int64_t s = 0; s < params.segment_count; ++s) {
    const LoraSegment segment = params.segments[s];
    if (segment.scale == 0 || segment.row_begin >= first_row + kTileRows ||
        segment.row_end <= std::max(first_row, segment.row_begin)) {
      continue;  // the whole block
    }
    const TileRows<T> hidden =
        HiddenRows<T>(params, segment, first_row, x_aligned);
    const TileRows<T> up = {
        static_cast<const T*>(segment.up) + first_column * segment.lora_rank,
        segment.lora_rank, 0, columns, params.up_aligned};
    float sum[kExpandColumns / 8][4] = {};
    MultiplyTiles<kExpandColumns, kExpandStages>(sum, SharedMemory<char>(),
                                                 hidden, up, segment.lora_rank);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const Cell cell = CellOfC(lane, 2 * half);
      const int row = warp_row + cell.row;
      if (row < hidden.begin || row >= hidden.end) continue;
#pragma unroll
      for (int block = 0; block < kExpandColumns / 8; ++block) {
        float* const pair = &value[block][2 * half];
        if (!touched[half]) {
          LoadPair(out + row * params.out_width, 8 * block + cell.column,
                   columns, paired, pair);
        }
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          pair[i] = fmaf(segment.scale, sum[block][2 * half + i], pair[i]);
        }
      }
      touched[half] = true;
    }
  }

#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (!touched[half]) continue;
    const Cell cell = CellOfC(lane, 2 * half);
#pragma unroll
    for (int block = 0; block < kExpandColumns / 8; ++block) {
      StorePair(out + (warp_row + cell.row) * params.out_width,
                8 * block + cell.column, columns, paired,
                &value[block][2 * half]);
    }
  }
}

// Launches the first product for kColumns ranks a block.
template <typename T, int kColumns>
cudaError_t LaunchShrink(const LoraGemmParams& params, bool x_aligned,
                         cudaStream_t stream) {
  return LaunchKernel(ShrinkKernel<T, kColumns>,
                      dim3(static_cast<unsigned>(params.plan.segment_tiles),
                           static_cast<unsigned>(params.plan.rank_tiles),
                           static_cast<unsigned>(params.segment_count)),
                      kTileThreads, kShrinkStages * StageBytes(kColumns),
                      stream, params, x_aligned);
}

}  // namespace

cudaError_t LaunchLoraGemm(const LoraGemmParams& params, cudaStream_t stream) {
  const LoraGemmPlan& plan = params.plan;
  if (plan.row_tiles == 0 || params.n == 0) return cudaSuccess;
  if (params.segment_count > 65535) return cudaErrorInvalidValue;
  return DispatchHalf(params.dtype, [&]<typename T>() {
    const uintptr_t offsets = (params.x_width | params.x_column) * sizeof(T);
    const bool x_aligned = (offsets | Addresses(params.x)) % 16 == 0;
    if (plan.rank_tiles > 0) {
      const cudaError_t error =
          plan.shrink_columns == 16
              ? LaunchShrink<T, 16>(params, x_aligned, stream)
          : plan.shrink_columns == 32
              ? LaunchShrink<T, 32>(params, x_aligned, stream)
              : LaunchShrink<T, 64>(params, x_aligned, stream);
      if (error != cudaSuccess) return error;
    }
    const int64_t column_tiles =
        (params.n + kExpandColumns - 1) / kExpandColumns;
    return LaunchKernel(ExpandKernel<T>,
                        dim3(static_cast<unsigned>(plan.row_tiles),
                             static_cast<unsigned>(column_tiles)),
                        kTileThreads,
                        int64_t{kExpandStages} * StageBytes(kExpandColumns),
                        stream, params, x_aligned);
  });
}

}  // namespace tessera::kernels::cuda

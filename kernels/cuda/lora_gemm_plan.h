// Low-rank adapters on row segments: what a launch needs to know of them.
#ifndef TESSERA_KERNELS_CUDA_LORA_GEMM_PLAN_H_
#define TESSERA_KERNELS_CUDA_LORA_GEMM_PLAN_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/cuda/tiles/product_tile.h"

namespace tessera::kernels::cuda {

// Columns of the result that a block of the second product computes.
inline constexpr int kExpandColumns = 64;

// Ranks that a block of the first product computes at most.
inline constexpr int kMaxShrinkColumns = 64;

// One adapter on rows [row_begin, row_end). Pointers are to device memory, of
// 16-bit elements.
struct LoraSegment {
  int64_t row_begin = 0;
  int64_t row_end = 0;
  const void* down = nullptr;  // A [lora_rank, k]; null: x holds x A'
  const void* up = nullptr;    // B [n, lora_rank]
  int64_t lora_rank = 0;       // at most 1024
  float scale = 1;             // 0: the segment is left out
  int64_t hidden = 0;          // set by the plan: where x A' goes, in elements
};

// Two kernels: x A' of every segment into the workspace, then its product with
// B', segment by segment in the order given, into registers that start as the
// output's values. A row's bits depend on its own segments only.
struct LoraGemmPlan {
  int64_t first_row = 0;        // of all segments
  int64_t row_tiles = 0;        // of the second kernel
  int64_t segment_tiles = 0;    // of the first kernel, for the longest segment
  int64_t rank_tiles = 0;       // of the first kernel; 0: nothing to do there
  int shrink_columns = 16;      // 16, 32 or 64
  int64_t hidden_elements = 0;  // of workspace
};

// Returns the distance of rows of x A' in the workspace: whole 16-byte chunks.
constexpr int64_t HiddenPitch(int64_t lora_rank) {
  return (lora_rank + kChunkElements - 1) / kChunkElements * kChunkElements;
}

// Plans a launch and places each segment's x A' in the workspace, which is
// written to `segments`.
constexpr LoraGemmPlan PlanLoraGemm(std::span<LoraSegment> segments) {
  LoraGemmPlan plan;
  int64_t first = INT64_MAX, last = 0, rows = 0, lora_rank = 0;
  for (LoraSegment& segment : segments) {
    const int64_t count = segment.row_end - segment.row_begin;
    if (count <= 0 || segment.scale == 0) continue;
    first = std::min(first, segment.row_begin);
    last = std::max(last, segment.row_end);
    if (segment.down == nullptr) continue;
    segment.hidden = plan.hidden_elements;
    plan.hidden_elements += count * HiddenPitch(segment.lora_rank);
    rows = std::max(rows, count);
    lora_rank = std::max(lora_rank, segment.lora_rank);
  }
  if (last == 0) return plan;
  plan.first_row = first;
  plan.row_tiles = (last - first + kTileRows - 1) / kTileRows;
  plan.segment_tiles = (rows + kTileRows - 1) / kTileRows;
  plan.shrink_columns = lora_rank <= 16 ? 16 : lora_rank <= 32 ? 32 : 64;
  plan.rank_tiles = (lora_rank + plan.shrink_columns - 1) / plan.shrink_columns;
  return plan;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_LORA_GEMM_PLAN_H_

#include "kernels/ops/lora_gemm.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/lora_gemm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include "kernels/cpu/matmul-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Applies one segment to rows [first, first + count): x Aᵀ into the workspace,
// then its scaled product with Bᵀ onto the output.
void ApplyToBlock(const LoraGemmArgs& args, const LoraSegment& segment,
                  int64_t first, int64_t count, float* workspace) {
  const int64_t width = args.x.shape[-1], out_width = args.out.shape[-1];
  const int64_t lora_rank = segment.up->k();
  RowBlock block;
  // Places the pointers first (one tap, two floats each), the rows of x A'
  // behind them.
  block.rows = reinterpret_cast<const float**>(workspace);
  float* const hidden = workspace + 2 * kBlockRows;
  const float* const x = args.x.f32() + first * width + args.x_column;
  for (int64_t r = 0; r < count; ++r) {
    block.rows[r] = x + r * width;
    block.add[r] = nullptr;
    block.residual[r] = nullptr;
    block.out[r] = hidden + r * lora_rank;
  }
  if (segment.down != nullptr) {
    MatmulBlock(*segment.down, nullptr, Activation::kNone, block, count, 0,
                segment.down->panel_count());
    // Copies what a convolution's down projection has computed already.
  } else {
    for (int64_t r = 0; r < count; ++r) {
      std::copy_n(x + r * width, lora_rank, hidden + r * lora_rank);
    }
  }
  // Scales x A', not the product: rank numbers a row instead of n.
  for (int64_t i = 0; i < count * lora_rank; ++i) hidden[i] *= segment.scale;
  // Reuses the block for the second product, which reads x A' and starts its
  // store from the output's own value.
  for (int64_t r = 0; r < count; ++r) {
    block.rows[r] = hidden + r * lora_rank;
    block.out[r] = args.out.f32() + (first + r) * out_width + args.out_column;
    block.residual[r] = block.out[r];
  }
  MatmulBlock(*segment.up, nullptr, Activation::kNone, block, count, 0,
              segment.up->panel_count());
}

// The rows of a segment that lie in one block of rows.
struct RowRange {
  int64_t first = 0;
  int64_t count = 0;  // 0 or less: none
};

// Returns the part of `segment` in block `block`; none for a strength of zero,
// which leaves the rows' bits as they are.
RowRange PartInBlock(const LoraSegment& segment, int64_t block) {
  if (segment.scale == 0) return {};
  const int64_t first = std::max(segment.row_begin, block * kBlockRows);
  const int64_t end = std::min(segment.row_end, (block + 1) * kBlockRows);
  return {first, end - first};
}

// Whether any segment has rows in the block.
bool IsActive(const LoraGemmArgs& args, int64_t block) {
  return std::any_of(args.segments.begin(), args.segments.end(),
                     [&](const LoraSegment& segment) {
                       return PartInBlock(segment, block).count > 0;
                     });
}

// Applies all segments in one pass: the blocks of rows that any of them
// touches are shared out evenly, and each block takes its segments in the order
// given, so that a row's bits depend neither on the other rows nor on the
// threads.
void LoraGemmOnTarget(ThreadPool& pool, const LoraGemmArgs& args) {
  int64_t last = 0;
  for (const LoraSegment& segment : args.segments) {
    last = std::max(last, segment.row_end);
  }
  const int64_t blocks = (last + kBlockRows - 1) / kBlockRows;
  int64_t active = 0;
  for (int64_t block = 0; block < blocks; ++block) {
    active += IsActive(args, block) ? 1 : 0;
  }
  pool.ParallelFor(active, [&](int64_t begin, int64_t end, int thread) {
    // Walks all blocks and works on the active ones with numbers of its own.
    for (int64_t block = 0, number = 0; block < blocks && number < end;
         ++block) {
      if (!IsActive(args, block) || number++ < begin) continue;
      for (const LoraSegment& segment : args.segments) {
        const RowRange part = PartInBlock(segment, block);
        if (part.count <= 0) continue;
        ApplyToBlock(args, segment, part.first, part.count,
                     pool.workspace(thread));
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(LoraGemmOnTarget);

void LoraGemm(Stream& stream, const LoraGemmArgs& args) {
  HWY_DYNAMIC_DISPATCH(LoraGemmOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/lora_gemm.h"
#include "kernels/cuda/op_table.h"

namespace tessera::kernels::cuda {
namespace {

// Bytes of the chunks in which the kernels read aligned matrices.
constexpr int64_t kChunkBytes = 16;

// Whether a matrix starts at a chunk and its rows are whole chunks.
bool IsAligned(const PackedWeights& weights) {
  const TensorView view = weights.data();
  return reinterpret_cast<uintptr_t>(view.data) % kChunkBytes == 0 &&
         weights.k() * SizeOf(view.dtype) % kChunkBytes == 0;
}

// Describes a segment by what lies with the device.
LoraSegment Describe(const kernels::LoraSegment& segment) {
  return {.row_begin = segment.row_begin,
          .row_end = segment.row_end,
          .down = segment.down == nullptr ? nullptr : segment.down->data().data,
          .up = segment.up->data().data,
          .lora_rank = segment.up->k(),
          .scale = segment.scale};
}

// Whether all segments are of one layer: equal inputs and outputs. One kernel
// serves them all.
bool AgreeInShape(std::span<const kernels::LoraSegment> segments) {
  const kernels::LoraSegment& first = segments.front();
  return std::all_of(
      segments.begin(), segments.end(), [&](const auto& segment) {
        if (segment.up->n() != first.up->n()) return false;
        if ((segment.down == nullptr) != (first.down == nullptr)) return false;
        return segment.down == nullptr || segment.down->k() == first.down->k();
      });
}

}  // namespace

void LoraGemm(Stream& stream, const LoraGemmArgs& args) {
  if (args.segments.empty()) return;
  if (!AgreeInShape(args.segments)) {
    return stream.Fail(absl::InvalidArgumentError(
        "lora_gemm: segments of unlike layers in one call"));
  }
  Backend& backend = Backend::Of(stream);
  const kernels::LoraSegment& first = args.segments.front();
  LoraGemmParams params{
      .x = args.x.data,
      .x_width = args.x.shape[-1],
      .x_column = args.x_column,
      .k = first.down == nullptr ? first.up->k() : first.down->k(),
      .out = args.out.data,
      .out_width = args.out.shape[-1],
      .out_column = args.out_column,
      .n = first.up->n(),
      .segment_count = static_cast<int64_t>(args.segments.size()),
      .down_aligned = true,
      .up_aligned = true,
      .dtype = args.out.dtype};
  std::vector<LoraSegment> segments;
  for (const kernels::LoraSegment& segment : args.segments) {
    segments.push_back(Describe(segment));
    params.up_aligned = params.up_aligned && IsAligned(*segment.up);
    if (segment.down != nullptr) {
      params.down_aligned = params.down_aligned && IsAligned(*segment.down);
    }
  }
  params.plan = PlanLoraGemm(segments);
  // Uploads after the plan, which writes to the segments.
  const absl::StatusOr<const void*> uploaded = backend.Upload(
      segments.data(),
      static_cast<int64_t>(segments.size() * sizeof(LoraSegment)));
  if (!uploaded.ok()) return stream.Fail(uploaded.status());
  const absl::StatusOr<void*> workspace =
      backend.Workspace(params.plan.hidden_elements * SizeOf(args.out.dtype));
  if (!workspace.ok()) return stream.Fail(workspace.status());
  params.segments = static_cast<const LoraSegment*>(*uploaded);
  params.workspace = *workspace;
  backend.Report(stream, LaunchLoraGemm(params, backend.queue()), "lora_gemm",
                 args.x.shape);
}

}  // namespace tessera::kernels::cuda

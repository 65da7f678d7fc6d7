#include "tests/kernels/cuda/attention/emulated_attention.h"

#include <array>
#include <utility>

#include "kernels/cuda/attention/mma_shapes.h"
#include "kernels/cuda/attention/mma_tile.h"
#include "kernels/cuda/attention/task.h"
#include "tests/kernels/cuda/attention/emulated_cta.h"

namespace tessera::kernels::cuda {
namespace {

// Runs one thread block; poisons its shared memory first.
template <int kShapeIndex, DType kElement>
void RunBlock(const AttentionTask& task, EmulationReport* report) {
  constexpr MmaShape kShape = kMmaShapes[kShapeIndex];
  using Cta = EmulatedCta<kShape.threads()>;
  Cta cta(kShape.shared_bytes());
  MmaAttentionTile<Cta, kShape, kElement>(cta, task).Run();
  if (report->violations.empty()) {
    report->violations = cta.shared().violations();
  }
  report->conflicts.Join(cta.conflicts());
}

// Runs the grid of a shape.
template <int kShapeIndex, DType kElement>
EmulationReport RunGrid(const AttentionParams& params) {
  EmulationReport report;
  for (int64_t n = 0; n < params.n; ++n) {
    for (int64_t head = 0; head < params.heads; ++head) {
      for (int64_t first = 0; first < params.queries;
           first += kMmaShapes[kShapeIndex].rows) {
        RunBlock<kShapeIndex, kElement>(TaskOf(params, n, head, first),
                                        &report);
      }
    }
  }
  return report;
}

// A grid of each shape, by its place in kMmaShapes.
template <DType kElement, int... kShapes>
constexpr auto GridsOf(std::integer_sequence<int, kShapes...>) {
  return std::array{&RunGrid<kShapes, kElement>...};
}

}  // namespace

EmulationReport EmulateMmaAttention(int shape, const AttentionParams& params) {
  constexpr auto kEach = std::make_integer_sequence<int, kMmaShapes.size()>();
  static constexpr auto kF16 = GridsOf<DType::kF16>(kEach);
  static constexpr auto kBf16 = GridsOf<DType::kBF16>(kEach);
  return (params.dtype == DType::kF16 ? kF16 : kBf16)[shape](params);
}

}  // namespace tessera::kernels::cuda

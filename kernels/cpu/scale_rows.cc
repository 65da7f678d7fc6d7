#include "kernels/ops/scale_rows.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace tessera::kernels::cpu {

void ScaleRows(Stream& stream, const ScaleRowsArgs& args) {
  // Counts the floats of one row; validation refused an output without rows.
  const int64_t n = args.out.shape.elements() / args.out.shape[0];
  stream.device().pool().ParallelFor(
      args.out.shape[0], [&](int64_t begin, int64_t end, int) {
        for (int64_t row = begin; row < end; ++row) {
          const ScaledRow& from = args.rows[static_cast<size_t>(row)];
          const float* const x = args.x.f32() + from.source * n;
          float* const out = args.out.f32() + row * n;
          // Multiplies once an element; a scale of 1 keeps the bits.
          for (int64_t i = 0; i < n; ++i) out[i] = from.scale * x[i];
        }
      });
}

}  // namespace tessera::kernels::cpu

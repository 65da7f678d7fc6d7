#include "kernels/ops/geglu.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/geglu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Splits by rows; values are columns [0, c) of a row and gates [c, 2c), as
// diffusers' GEGLU chunks its projection.
void GegluOnTarget(ThreadPool& pool, const GegluArgs& args) {
  const int64_t columns = args.out.shape[-1];
  pool.ParallelFor(args.out.shape.rows(), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* const value = args.input.f32() + row * 2 * columns;
      const float* const gate = value + columns;
      float* const out = args.out.f32() + row * columns;
      // Activates gates in registers, so that no tensor of them is written.
      for (int64_t c = 0; c < columns; c += kLanes) {
        const int64_t left = columns - c;
        StoreSome(
            hn::Mul(LoadSome(value + c, left), Gelu(LoadSome(gate + c, left))),
            out + c, left);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(GegluOnTarget);

void Geglu(Stream& stream, const GegluArgs& args) {
  HWY_DYNAMIC_DISPATCH(GegluOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

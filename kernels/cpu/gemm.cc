#include "kernels/ops/gemm.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include "kernels/cpu/matmul-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Feeds the shared loop with rows that lie in `a` as they are: one tap, `width`
// floats from row to row.
void GemmOnTarget(ThreadPool& pool, const GemmArgs& args) {
  const PackedWeights& weights = args.weights;
  const int64_t width = args.a.shape[-1];
  const float* const a = args.a.f32() + args.a_column;
  const float* const residual = OrNull(args.residual);
  float* const out = args.out.f32();
  // Ignores the row of zeros, for a matrix has no padding.
  const auto fill = [&](int64_t first, int64_t count, RowBlock& block,
                        const float*) {
    for (int64_t r = 0; r < count; ++r) {
      const int64_t row = first + r;
      block.rows[r] = a + row * width;
      // Adds no vector: a linear layer's bias starts the chains.
      block.add[r] = nullptr;
      block.residual[r] =
          residual == nullptr ? nullptr : residual + row * weights.n();
      block.out[r] = out + row * weights.n();
    }
  };
  Matmul(pool, args.a.shape.rows(), weights, OrNull(args.bias), args.activation,
         fill);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(GemmOnTarget);

void Gemm(Stream& stream, const GemmArgs& args) {
  HWY_DYNAMIC_DISPATCH(GemmOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

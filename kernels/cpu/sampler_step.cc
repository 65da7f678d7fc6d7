#include "kernels/ops/sampler_step.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/sampler_step.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Updates picture `p`, n numbers of latents, with its own coefficients; each
// element is a fixed chain, so the company it keeps does not show.
void StepPicture(const SamplerStepArgs& args, int64_t p) {
  const D d;
  const SamplerRow& row = args.rows[static_cast<size_t>(p)];
  const int64_t n = args.x.shape.elements() / args.x.shape[0];
  const float* const output = args.model_output.f32();
  // Finds both outputs by row, for the batch lays them out as it likes.
  const float* const cond = output + row.cond * n;
  const float* const uncond =
      row.uncond < 0 ? nullptr : output + row.uncond * n;
  const float* const extra =
      args.extra.has_value() ? args.extra->f32() + p * n : nullptr;
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t left = n - i;
    V e = LoadSome(cond + i, left);
    // Guides: e = uncond + guidance * (cond - uncond) (Ho and Salimans 2022).
    if (uncond != nullptr) {
      const V u = LoadSome(uncond + i, left);
      e = hn::MulAdd(hn::Set(d, row.guidance), hn::Sub(e, u), u);
    }
    // Starts the chain at the latents; each further term is one fused
    // multiply-add.
    V x = hn::Mul(hn::Set(d, row.x_scale),
                  LoadSome(args.x.f32() + p * n + i, left));
    x = hn::MulAdd(hn::Set(d, row.model_scale), e, x);
    if (extra != nullptr) {
      x = hn::MulAdd(hn::Set(d, row.extra_scale), LoadSome(extra + i, left), x);
    }
    // Writes what was read in this turn only, so `out` may be `x`.
    StoreSome(x, args.out.f32() + p * n + i, left);
  }
}

// Splits by pictures, for each row has other coefficients.
void SamplerStepOnTarget(ThreadPool& pool, const SamplerStepArgs& args) {
  pool.ParallelFor(args.x.shape[0], [&](int64_t begin, int64_t end, int) {
    for (int64_t p = begin; p < end; ++p) StepPicture(args, p);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(SamplerStepOnTarget);

void SamplerStep(Stream& stream, const SamplerStepArgs& args) {
  HWY_DYNAMIC_DISPATCH(SamplerStepOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

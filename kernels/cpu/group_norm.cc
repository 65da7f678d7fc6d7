#include "kernels/ops/group_norm.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/group_norm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Channels whose sums a task keeps: doubles of 512 channels are 8 KiB.
inline constexpr int64_t kMaxChannels = 16384;

// Adds every pixel of one picture to the per-channel sums and sums of squares,
// in double: squares of floats are exact there and cancellation does no harm.
void SumChannels(const float* x, int64_t pixels, int64_t channels, double* sum,
                 double* square) {
  const hn::Rebind<double, hn::Half<D>> dd;
  const hn::Half<D> df;
  const int64_t lanes = static_cast<int64_t>(hn::MaxLanes(dd));
  const int64_t whole = channels / lanes * lanes;
  std::fill_n(sum, channels, 0.0);
  std::fill_n(square, channels, 0.0);
  for (int64_t p = 0; p < pixels; ++p) {
    const float* const row = x + p * channels;
    int64_t c = 0;
    for (; c < whole; c += lanes) {
      const auto value = hn::PromoteTo(dd, hn::LoadU(df, row + c));
      hn::StoreU(hn::Add(hn::LoadU(dd, sum + c), value), dd, sum + c);
      hn::StoreU(hn::MulAdd(value, value, hn::LoadU(dd, square + c)), dd,
                 square + c);
    }
    for (; c < channels; ++c) {
      const double value = row[c];
      sum[c] += value;
      square[c] += value * value;  // exact, so fused or not is the same
    }
  }
}

// Normalises picture `n`; `workspace` holds sums, then scale and shift.
void NormalizePicture(const GroupNormArgs& args, int64_t n, float* workspace) {
  const int64_t channels = args.input.shape[-1];
  const int64_t pixels =
      args.input.shape.elements() / args.input.shape[0] / channels;
  const int64_t members = channels / args.groups;
  const float* const x = args.input.f32() + n * pixels * channels;
  float* const out = args.out.f32() + n * pixels * channels;
  double* const sum = reinterpret_cast<double*>(workspace);
  double* const square = sum + channels;
  float* const scale = reinterpret_cast<float*>(square + channels);
  float* const shift = scale + channels;
  SumChannels(x, pixels, channels, sum, square);
  const double count = static_cast<double>(pixels * members);
  for (int64_t g = 0; g < args.groups; ++g) {
    double total = 0, squares = 0;
    for (int64_t c = g * members; c < (g + 1) * members; ++c) {
      total += sum[c];
      squares += square[c];
    }
    const double mean = total / count;
    const double variance = std::max(0.0, squares / count - mean * mean);
    const double inverse =
        1.0 / std::sqrt(variance + static_cast<double>(args.eps));
    for (int64_t c = g * members; c < (g + 1) * members; ++c) {
      const double by = inverse * static_cast<double>(args.weight.f32()[c]);
      scale[c] = static_cast<float>(by);
      shift[c] = static_cast<float>(static_cast<double>(args.bias.f32()[c]) -
                                    mean * by);
    }
  }
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; c += kLanes) {
      const int64_t left = channels - c;
      V y = hn::MulAdd(LoadSome(x + p * channels + c, left),
                       LoadSome(scale + c, left), LoadSome(shift + c, left));
      if (args.silu) y = Apply(Activation::kSilu, y);
      StoreSome(y, out + p * channels + c, left);
    }
  }
}

void GroupNormOnTarget(ThreadPool& pool, const GroupNormArgs& args) {
  pool.ParallelFor(args.input.shape[0],
                   [&](int64_t begin, int64_t end, int thread) {
                     for (int64_t n = begin; n < end; ++n) {
                       NormalizePicture(args, n, pool.workspace(thread));
                     }
                   });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(GroupNormOnTarget);

void GroupNorm(Stream& stream, const GroupNormArgs& args) {
  HWY_DYNAMIC_DISPATCH(GroupNormOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

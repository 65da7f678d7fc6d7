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

// Pixels added to a sum while it is in a register: a quarter of the loads and
// stores of the sums, in the same order of additions.
inline constexpr int64_t kPixelsAtOnce = 4;

// Sums and sums of squares of a picture's channels, in double: squares of
// floats are exact there and cancellation does no harm.
struct ChannelSums {
  double* sum;
  double* square;
};

// Adds `pixels` pixels, `stride` floats apart, to the sums of `channels`
// channels, one pixel after the other.
HWY_INLINE void AddPixels(const float* x, int64_t pixels, int64_t stride,
                          int64_t channels, const ChannelSums& sums) {
  // Promotes as many floats as fill one vector of doubles.
  const hn::Rebind<double, hn::Half<D>> dd;
  const hn::Half<D> df;
  const int64_t lanes = static_cast<int64_t>(hn::MaxLanes(dd));
  int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    auto sum = hn::LoadU(dd, sums.sum + c);
    auto square = hn::LoadU(dd, sums.square + c);
    for (int64_t p = 0; p < pixels; ++p) {
      const auto value = hn::PromoteTo(dd, hn::LoadU(df, x + p * stride + c));
      sum = hn::Add(sum, value);
      square = hn::MulAdd(value, value, square);
    }
    hn::StoreU(sum, dd, sums.sum + c);
    hn::StoreU(square, dd, sums.square + c);
  }
  // Adds the channels that fill no vector, with the same arithmetic.
  for (; c < channels; ++c) {
    for (int64_t p = 0; p < pixels; ++p) {
      const double value = x[p * stride + c];
      sums.sum[c] += value;
      sums.square[c] += value * value;  // exact, so fused or not is the same
    }
  }
}

// Normalises groups [first, last) of picture `n`, whose channels lie side by
// side; `workspace` holds sums, then scale and shift. Channels never meet
// outside their group, so the split into ranges does not show in the bits.
void NormalizeGroups(const GroupNormArgs& args, int64_t n, int64_t first,
                     int64_t last, float* workspace) {
  const int64_t stride = args.input.shape[-1];
  const int64_t pixels =
      args.input.shape.elements() / args.input.shape[0] / stride;
  const int64_t members = stride / args.groups;
  const int64_t channels = (last - first) * members;
  const int64_t offset = n * pixels * stride + first * members;
  const float* const x = args.input.f32() + offset;
  float* const out = args.out.f32() + offset;
  const float* const weight = args.weight.f32() + first * members;
  const float* const bias = args.bias.f32() + first * members;
  double* const doubles = reinterpret_cast<double*>(workspace);
  const ChannelSums sums{doubles, doubles + channels};
  // Follows the 2 * channels doubles of the sums.
  float* const scale = reinterpret_cast<float*>(doubles + 2 * channels);
  float* const shift = scale + channels;
  std::fill_n(doubles, 2 * channels, 0.0);
  for (int64_t p = 0; p < pixels; p += kPixelsAtOnce) {
    AddPixels(x + p * stride, std::min(kPixelsAtOnce, pixels - p), stride,
              channels, sums);
  }
  // Counts the numbers of a group: pixels times channels.
  const double count = static_cast<double>(pixels * members);
  // Folds a group's statistics, the norm's weight and its bias into one scale
  // and one shift a channel, in double until the last rounding.
  for (int64_t begin = 0; begin < channels; begin += members) {
    double total = 0, squares = 0;
    for (int64_t c = begin; c < begin + members; ++c) {
      total += sums.sum[c];
      squares += sums.square[c];
    }
    const double mean = total / count;
    // Guards against a tiny negative difference; PyTorch's variance is biased
    // too, by count and not count - 1.
    const double variance = std::max(0.0, squares / count - mean * mean);
    const double inverse =
        1.0 / std::sqrt(variance + static_cast<double>(args.eps));
    for (int64_t c = begin; c < begin + members; ++c) {
      const double by = inverse * static_cast<double>(weight[c]);
      scale[c] = static_cast<float>(by);
      shift[c] = static_cast<float>(static_cast<double>(bias[c]) - mean * by);
    }
  }
  // Reads the picture a second time and writes it; a pixel is read before it is
  // written, so `out` may be the input.
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; c += kLanes) {
      const int64_t left = channels - c;
      V y = hn::MulAdd(LoadSome(x + p * stride + c, left),
                       LoadSome(scale + c, left), LoadSome(shift + c, left));
      if (args.silu) y = Apply(Activation::kSilu, y);
      StoreSome(y, out + p * stride + c, left);
    }
  }
}

// Splits (picture, group) pairs over the threads; a thread takes the groups of
// its range that belong to one picture together.
void GroupNormOnTarget(ThreadPool& pool, const GroupNormArgs& args) {
  const int64_t groups = args.groups;
  pool.ParallelFor(args.input.shape[0] * groups, [&](int64_t begin, int64_t end,
                                                     int thread) HWY_ATTR {
    while (begin < end) {
      const int64_t n = begin / groups, first = begin % groups;
      const int64_t last = std::min(groups, first + end - begin);
      NormalizeGroups(args, n, first, last, pool.workspace(thread));
      begin += last - first;
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

#include "kernels/ops/layer_norm.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/layer_norm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include <cmath>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Sums one row in 16 fixed partials; with `mean`, squares of the differences.
float SumRow(const float* x, int64_t columns, const float* mean) {
  const D d;
  V partial[kPanelVectors];
  for (int v = 0; v < kPanelVectors; ++v) partial[v] = hn::Zero(d);
  // Walks 16 columns at a time; column c always lands in partial c mod 16.
  for (int64_t c = 0; c < columns; c += 16) {
    for (int v = 0; v < kPanelVectors; ++v) {
      const int64_t at = c + v * kLanes, left = columns - at;
      if (left <= 0) break;
      V value = LoadSome(x + at, left);
      if (mean == nullptr) {
        partial[v] = hn::Add(partial[v], value);
        continue;
      }
      value = hn::Sub(value, hn::Set(d, *mean));
      // Takes the lanes beyond the row out again: they were 0, and 0 - mean is
      // not.
      if (left < kLanes) {
        value =
            hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(left)), value);
      }
      partial[v] = hn::MulAdd(value, value, partial[v]);
    }
  }
  HWY_ALIGN float partials[16];
  for (int v = 0; v < kPanelVectors; ++v) {
    hn::Store(partial[v], d, partials + v * kLanes);
  }
  return SumOf16(partials);
}

// Takes two passes, the mean first: in float, E[x^2] - E[x]^2 would cancel.
void NormalizeRow(const LayerNormArgs& args, int64_t row) {
  const D d;
  const int64_t columns = args.input.shape[-1];
  const float* const x = args.input.f32() + row * columns;
  float* const out = args.out.f32() + row * columns;
  const float count = static_cast<float>(columns);
  const float mean = SumRow(x, columns, nullptr) / count;
  const float variance = SumRow(x, columns, &mean) / count;
  // Divides once a row; PyTorch, too, adds eps to the variance under the root.
  const V inverse = hn::Set(d, 1.0f / std::sqrt(variance + args.eps));
  // Reads a vector before it writes the same place, so `out` may be the input.
  for (int64_t c = 0; c < columns; c += kLanes) {
    const int64_t left = columns - c;
    const V centred =
        hn::Mul(hn::Sub(LoadSome(x + c, left), hn::Set(d, mean)), inverse);
    StoreSome(hn::MulAdd(centred, LoadSome(args.weight.f32() + c, left),
                         LoadSome(args.bias.f32() + c, left)),
              out + c, left);
  }
}

// Splits by rows; a row is normalised by one thread alone.
void LayerNormOnTarget(ThreadPool& pool, const LayerNormArgs& args) {
  pool.ParallelFor(args.input.shape.rows(),
                   [&](int64_t begin, int64_t end, int) {
                     for (int64_t row = begin; row < end; ++row) {
                       NormalizeRow(args, row);
                     }
                   });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(LayerNormOnTarget);

void LayerNorm(Stream& stream, const LayerNormArgs& args) {
  HWY_DYNAMIC_DISPATCH(LayerNormOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE

#include "tests/bench/fma_peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/fma_peak.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Runs `rounds` of twelve independent chains, more than latency times ports;
// returns the operations done. The result is stored so that it is computed.
double RunChains(int64_t rounds, float* result) {
  const hn::CappedTag<float, 16> d;
  using V = hn::Vec<hn::CappedTag<float, 16>>;
  constexpr int kChains = 12;
  V acc[kChains];
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) {
    acc[i] = hn::Set(d, static_cast<float>(i));
  }
  const V a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) acc[i] = hn::MulAdd(acc[i], a, b);
  }
#pragma GCC unroll 16
  for (int i = 1; i < kChains; ++i) acc[0] = hn::Add(acc[0], acc[i]);
  *result = hn::GetLane(acc[0]);
  return 2.0 * kChains * static_cast<double>(hn::Lanes(d)) *
         static_cast<double>(rounds);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels {

HWY_EXPORT(RunChains);

double MeasureFmaPeak(Device& device) {
  constexpr int64_t kRounds = 250'000;  // below a scheduler's time slice
  double peak = 0;
  for (int i = 0; i < 400; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    double operations = 0;
    device.pool().ParallelFor(
        device.threads(), [&](int64_t, int64_t, int thread) {
          const double done = HWY_DYNAMIC_DISPATCH(RunChains)(
              kRounds, device.pool().workspace(thread));
          if (thread == 0) operations = done * device.threads();
        });
    const std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - begin;
    peak = std::max(peak, operations / seconds.count());
  }
  return peak;
}

}  // namespace tessera::kernels
#endif  // HWY_ONCE

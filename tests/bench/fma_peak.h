// The rate no kernel can exceed: fused multiply-adds from registers.
#ifndef TESSERA_TESTS_BENCH_FMA_PEAK_H_
#define TESSERA_TESTS_BENCH_FMA_PEAK_H_

#include "kernels/device.h"

namespace tessera::kernels {

// Measures f32 operations a second (a fused multiply-add is two) on all
// threads of `device` with its widest vectors; the best of several rounds.
double MeasureFmaPeak(Device& device);

}  // namespace tessera::kernels

#endif  // TESSERA_TESTS_BENCH_FMA_PEAK_H_

#include "kernels/ops/resample.h"

#include <cstring>

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace tessera::kernels::cpu {

// Splits by output rows; (y * h) / out_h in whole numbers is PyTorch's nearest
// for the ratios that models use, doubling above all.
void ResizeNearest(Stream& stream, const ResizeNearestArgs& args) {
  const Shape &x = args.input.shape, &out = args.out.shape;
  const int64_t channels = x[3];
  const auto bytes = static_cast<size_t>(channels) * sizeof(float);
  stream.device().pool().ParallelFor(
      out[0] * out[1], [&](int64_t begin, int64_t end, int) {
        for (int64_t row = begin; row < end; ++row) {
          const int64_t n = row / out[1], y = row % out[1] * x[1] / out[1];
          const float* const from =
              args.input.f32() + (n * x[1] + y) * x[2] * channels;
          float* const to = args.out.f32() + row * out[2] * channels;
          for (int64_t column = 0; column < out[2]; ++column) {
            // Copies whole pixels, `channels` floats each.
            std::memcpy(to + column * channels,
                        from + column * x[2] / out[2] * channels, bytes);
          }
        }
      });
}

}  // namespace tessera::kernels::cpu

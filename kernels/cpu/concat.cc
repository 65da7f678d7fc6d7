#include "kernels/ops/concat.h"

#include <cstring>

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace tessera::kernels::cpu {

void ConcatChannels(Stream& stream, const ConcatChannelsArgs& args) {
  const int64_t a = args.a.shape[-1], b = args.b.shape[-1];
  // Splits by rows: each is two copies, and no bits change.
  stream.device().pool().ParallelFor(
      args.a.shape.rows(), [&](int64_t begin, int64_t end, int) {
        for (int64_t row = begin; row < end; ++row) {
          float* const to = args.out.f32() + row * (a + b);
          std::memcpy(to, args.a.f32() + row * a,
                      static_cast<size_t>(a) * sizeof(float));
          std::memcpy(to + a, args.b.f32() + row * b,
                      static_cast<size_t>(b) * sizeof(float));
        }
      });
}

}  // namespace tessera::kernels::cpu

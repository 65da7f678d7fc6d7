#include "kernels/ops/image_bytes.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace tessera::kernels::cpu {

// Runs on the caller's thread, once a picture; follows diffusers'
// VaeImageProcessor, which denormalises, clamps and rounds.
void ImageBytes(Stream&, const ImageBytesArgs& args) {
  const float* const x = args.input.f32();
  uint8_t* const out = args.out.u8();
  for (int64_t i = 0; i < args.input.shape.elements(); ++i) {
    // Picks a value, for converting NaN to an integer has none.
    if (std::isnan(x[i])) {
      out[i] = 0;
      continue;
    }
    const float unit = std::clamp(x[i] / 2.0f + 0.5f, 0.0f, 1.0f);
    // The current rounding mode is to nearest, halves to even.
    out[i] = static_cast<uint8_t>(std::nearbyint(unit * 255.0f));
  }
}

}  // namespace tessera::kernels::cpu

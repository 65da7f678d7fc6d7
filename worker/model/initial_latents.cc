#include "worker/model/initial_latents.h"

#include <cstdint>
#include <vector>

#include "worker/model/torch_noise.h"

namespace tessera::model {

void WriteInitialLatents(const ImageRequest& request, float scale,
                         const kernels::TensorView& latents) {
  const int64_t channels = latents.shape[3];
  const int64_t pixels = latents.shape[1] * latents.shape[2];
  // Outlives `noise`, which points into it or into the request.
  std::vector<float> drawn;
  const float* noise = nullptr;  // [C, h w]
  // Takes given noise as it is; Validate has compared its shape.
  if (request.init_latents != nullptr) {
    noise = request.init_latents->f32();
  } else {
    drawn = TorchNormal(request.seed, channels * pixels);
    noise = drawn.data();
  }
  // Turns planes into pixels: [C, h w] to [h w, C].
  float* const out = latents.f32();
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (int64_t c = 0; c < channels; ++c) {
      out[pixel * channels + c] = noise[c * pixels + pixel] * scale;
    }
  }
}

}  // namespace tessera::model
